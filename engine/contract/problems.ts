/** Every expected failure has a stable code; this is the one place that gives it an HTTP status and a title. */

import { z } from "zod";
import type { GameRejectionCode } from "../core/game.ts";
import type { ProposalRejectionCode } from "../core/proposal.ts";

/** Doesn't compile while a code of the core is missing here. */
export const problemStatus = {
  // the request
  request_invalid: [400, "Something in this request isn't right"],
  idempotency_key_missing: [400, "Send an Idempotency-Key header with every write of money"],
  idempotency_key_reused: [409, "This Idempotency-Key was used for another request"],
  not_found: [404, "There is nothing here"],
  too_many_requests: [429, "Too many requests: wait a moment"],
  request_timeout: [408, "This request didn't arrive in time"],
  headers_too_large: [431, "The headers of this request are too large"],
  body_too_large: [413, "This request is too large"],
  content_type_unsupported: [415, "Send JSON with content type application/json"],
  origin_refused: [403, "This page isn't one of ours"],
  // who asks
  not_signed_in: [401, "Sign in first"],
  sign_in_refused: [401, "This sign-in was refused"],
  signature_check_unavailable: [503, "The chain can't be asked about this smart wallet now; try again"],
  not_allowed: [403, "This isn't yours to do"],
  terms_not_accepted: [403, "Accept the terms first"],
  second_approval_needed: [403, "This needs a second operator's approval"],
  // names and wallets
  handle_taken: [409, "This handle is taken"],
  handle_invalid: [400, "This handle can't be used"],
  player_unknown: [404, "No one here goes by that name"],
  wallet_taken: [409, "This wallet belongs to another player"],
  wallet_not_verified: [403, "Withdrawals go to a wallet that you signed in with"],
  // amounts
  amount_invalid: [400, "This amount can't be read"],
  amount_too_precise: [400, "This amount has too many decimals"],
  amount_too_large: [400, "This amount is too large"],
  amount_not_positive: [400, "The amount must be above zero"],
  token_unknown: [400, "This token isn't one of ours"],
  token_not_listed: [409, "This token was taken out of play"],
  insufficient_funds: [409, "Not enough free in your pool"],
  not_final_yet: [409, "Part of this isn't final on the chain yet"],
  withdrawal_too_large: [409, "This is more than can be withdrawn at once"],
  // proposals
  terms_invalid: [400, "These terms can't be used"],
  lapse_out_of_range: [400, "An offer stands between one minute and seven days"],
  opponent_is_self: [400, "You can't play against yourself"],
  referee_is_player: [400, "The referee can't be one of the players"],
  proposal_not_pending: [409, "This offer is no longer open"],
  proposal_expired: [409, "This offer has lapsed"],
  proposal_not_due: [409, "This offer hasn't lapsed yet"],
  // games
  game_not_open: [409, "This game is over"],
  game_not_disputed: [409, "This game isn't in dispute"],
  already_reported: [409, "You have reported already"],
  evidence_closed: [409, "Evidence is taken between a report and the decision"],
  evidence_limit: [409, "You have given as much evidence as we take"],
  evidence_invalid: [400, "This evidence can't be used"],
  deadline_not_reached: [409, "The clock hasn't run out yet"],
  reason_missing: [400, "Give a reason"],
  money_in_it: [403, "You have money in this game"],
  undo_window_closed: [409, "It is too late to undo this"],
  // chain, operator
  deposit_already_claimed: [409, "This deposit has been claimed"],
  not_returnable: [409, "This transfer can't be given back"],
  wallet_not_frozen: [409, "This wallet isn't frozen"],
  wallet_suspect: [409, "Something of this wallet isn't explained yet"],
  not_parked: [409, "This transfer doesn't wait for anybody"],
  suspense_not_open: [409, "This item was dealt with already"],
  suspense_in_doubt: [409, "This money may not be there any more"],
  sweep_total_changed: [409, "The amount has changed since the dry run"],
  nothing_to_sweep: [409, "Nothing is earned and free"],
  outflows_stopped: [503, "Outflows are stopped for now; your money is safe and stays yours"],
  switched_off: [503, "This is switched off for now"],
  overloaded: [503, "Too busy at the moment; try again"],
  internal: [500, "Something went wrong here; nothing was lost"],
} as const satisfies Record<string, readonly [number, string]> &
  Record<ProposalRejectionCode | GameRejectionCode, readonly [number, string]>;

export type ProblemCode = keyof typeof problemStatus;

/** RFC 9457 problem details; `type` is stable, `errors` points at fields. */
export const problem = z
  .strictObject({
    type: z.string(),
    code: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    /** Facts a client can act on, such as how much is short. */
    facts: z.record(z.string(), z.string()).optional(),
    errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
    requestId: z.string(),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof problem>;

/** An expected failure on its way to the edge. `message` is written for the person who reads it. */
export interface Rejection {
  code: ProblemCode;
  message?: string;
  /** The field of the request that is at fault, such as `takerStake`. */
  field?: string;
  facts?: Record<string, string>;
}
export type Result<Value> = { ok: true; value: Value } | { ok: false; rejection: Rejection };
export const reject = (
  code: ProblemCode,
  more: Omit<Rejection, "code"> = {},
): { ok: false; rejection: Rejection } => ({
  ok: false,
  rejection: { code, ...more },
});
export const accept = <Value>(value: Value): { ok: true; value: Value } => ({ ok: true, value });

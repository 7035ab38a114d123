import type { PlannedTransfer } from "./ledger.ts";
import type { Refused } from "./rejection.ts";

export type ProposalStatus = "pending" | "accepted" | "countered" | "declined" | "cancelled" | "expired";

/** What the two sides agree on. Stakes are base units; none of it changes once the proposal exists. */
export interface ProposalTerms {
  proposerStake: bigint;
  takerStake: bigint;
  /** What is played and who wins, 1 to 280 code points, shown verbatim. */
  terms: string;
  /** The player who decides a dispute; null leaves it to an operator. Never one of the two who play. */
  refereeId: string | null;
  /** How long the game is expected to take, from acceptance. */
  expectedDurationMs: number;
}

/** An offer: "my proposerStake to your takerStake". The proposer's stake is held as long as it is pending. */
export interface ProposalState extends ProposalTerms {
  id: string;
  /** The proposal that this one counters. */
  parentId: string | null;
  /** The red corner, always. */
  proposerId: string;
  /** The blue corner, always. Null means open to anyone; once accepted, whoever took it. */
  takerId: string | null;
  token: string;
  /** The house's cut, frozen with the offer, so that the sum on the card is the sum that is paid. */
  rakeBps: number;
  expiresAtMs: number;
  status: ProposalStatus;
  /** The game that came of it; null unless accepted. */
  gameId: string | null;
}

export type ProposalCommand =
  | ({
      type: "propose";
      by: string;
      proposalId: string;
      takerId: string | null;
      token: string;
      rakeBps: number;
      expiresAtMs: number;
    } & ProposalTerms)
  /** `parent` is the proposal named by `parentId`, locked in the same tx; null when there is none. */
  | { type: "accept"; by: string; gameId: string; parent: ProposalState | null }
  | ({ type: "counter"; by: string; proposalId: string; expiresAtMs: number } & ProposalTerms)
  | { type: "decline"; by: string }
  | { type: "cancel"; by: string }
  | { type: "expire" };

export type ProposalEvent =
  | { type: "proposed"; proposalId: string; by: string; takerId: string | null }
  | { type: "accepted"; proposalId: string; by: string; gameId: string }
  | { type: "countered"; proposalId: string; by: string; counterId: string }
  | { type: "declined"; proposalId: string; by: string }
  | { type: "cancelled"; proposalId: string; by: string }
  | { type: "expired"; proposalId: string };

export type ProposalRejectionCode =
  | "proposal_not_pending"
  | "proposal_lapsed"
  | "proposal_not_lapsed"
  | "not_the_taker"
  | "not_the_proposer"
  | "own_proposal"
  | "stake_not_positive"
  | "stake_too_large"
  | "terms_empty"
  | "terms_too_long"
  | "terms_unreadable"
  | "opponent_is_self"
  | "referee_is_player"
  | "lapse_out_of_range"
  | "duration_out_of_range";

export type ProposalDecision =
  | {
      ok: true;
      /** The proposal that was commanded, as it is now: to be inserted on `propose`, else updated. */
      state: ProposalState;
      /** The new proposal that a counter makes: to be inserted. */
      created: ProposalState | null;
      /** The open offer that ends because its proposer took a counter to it: to be updated. */
      superseded: ProposalState | null;
      events: ProposalEvent[];
      /** In the order in which they must be booked: releases come first, so that freed money can be held again. */
      transfers: PlannedTransfer[];
    }
  | Refused<ProposalRejectionCode>;

export declare function decideProposal(
  state: ProposalState | null,
  command: ProposalCommand,
  nowMs: number,
): ProposalDecision;

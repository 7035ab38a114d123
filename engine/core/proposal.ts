import { checkTransfer, type PlannedTransfer } from "./ledger.ts";
import { accept, counter, end, propose } from "./proposal-moves.ts";
import type { ProposalFault } from "./proposal-rules.ts";
import { assert, type Refused, refused } from "./rejection.ts";

export type ProposalStatus = "pending" | "accepted" | "countered" | "declined" | "cancelled" | "expired";

/** What the two sides agree on. Stakes are base units. */
export interface ProposalTerms {
  proposerStake: bigint;
  takerStake: bigint;
  /** What is played and who wins, 1 to 280 code points, shown verbatim. */
  terms: string;
}

/** An offer: "my proposerStake to your takerStake". The proposer's stake is held as long as it is pending. */
export interface ProposalState extends ProposalTerms {
  id: string;
  /** The proposal that this one counters. */
  parentId: string | null;
  /** The first proposal of the chain of counters; its own id when it is the first. */
  rootId: string;
  /** The red corner, always. */
  proposerId: string;
  /** The blue corner, always. Null means open to anyone; once accepted, whoever took it. */
  takerId: string | null;
  token: string;
  /** The player who decides a dispute; null leaves it to an operator. Never one of the two who play. */
  refereeId: string | null;
  /** How long the game is expected to take, from acceptance. */
  expectedMinutes: number;
  /** The house's cut, frozen with the offer, so that the sum on the card is the sum that is paid. */
  rakeBps: number;
  expiresAtMs: number;
  status: ProposalStatus;
}

export type ProposalCommand =
  | ({
      type: "propose";
      by: string;
      proposalId: string;
      takerId: string | null;
      token: string;
      refereeId: string | null;
      expectedMinutes: number;
      rakeBps: number;
      expiresAtMs: number;
    } & ProposalTerms)
  /** `root` is the proposal named by `rootId`, locked in the same tx; null when it is this one. */
  | { type: "accept"; by: string; gameId: string; root: ProposalState | null }
  /** The sender's own stake is `proposerStake`: whoever counters becomes the proposer. The rest is inherited. */
  | ({ type: "counter"; by: string; proposalId: string; expiresAtMs: number } & ProposalTerms)
  | { type: "decline"; by: string }
  | { type: "cancel"; by: string }
  | { type: "expire" };

export type ProposalEvent =
  | { type: "proposed"; proposalId: string; by: string; takerId: string | null }
  | { type: "accepted"; proposalId: string; by: string; gameId: string }
  | { type: "countered"; proposalId: string; by: string; counterId: string }
  | { type: "superseded"; proposalId: string; by: string; gameId: string }
  | { type: "declined"; proposalId: string; by: string }
  | { type: "cancelled"; proposalId: string; by: string }
  | { type: "expired"; proposalId: string };

export type ProposalRejectionCode =
  | "proposal_not_pending"
  | "proposal_expired"
  | "proposal_not_due"
  | "not_allowed"
  | ProposalFault;

export type ProposalDecision = ProposalChange | Refused<ProposalRejectionCode>;

export interface ProposalChange {
  ok: true;
  /** The proposal that was commanded, as it is now: to be inserted on `propose`, else updated. */
  state: ProposalState;
  /** The new proposal that a counter makes: to be inserted. */
  created: ProposalState | null;
  /** The open offer that ends because a counter to it became a game: to be updated. */
  superseded: ProposalState | null;
  events: ProposalEvent[];
  /** In the order in which they must be booked: releases come first, so that freed money can be held again. */
  transfers: PlannedTransfer[];
}

/** One command of the union, by its name. */
export type CommandOf<Type extends ProposalCommand["type"]> = Extract<ProposalCommand, { type: Type }>;

/**
 * What a command does to a proposal. `state` is null for `propose` only. Checks come in this order: who asks, whether
 * the proposal still stands, its clock (`now ≥ expiresAt` leaves only `expire`), then what is asked.
 */
export function decideProposal(
  state: ProposalState | null,
  command: ProposalCommand,
  nowMs: number,
): ProposalDecision {
  assert(Number.isSafeInteger(nowMs), `a time of ${nowMs}`);
  const decision =
    command.type === "propose" ? propose(state, command, nowMs) : answer(state, command, nowMs);
  if (decision.ok) decision.transfers.forEach(checkTransfer);
  return decision;
}

function answer(
  state: ProposalState | null,
  command: Exclude<ProposalCommand, { type: "propose" }>,
  nowMs: number,
): ProposalDecision {
  assert(state !== null, `there is a proposal to ${command.type}`);
  const hasLapsed = nowMs >= state.expiresAtMs;
  if (command.type === "expire") {
    if (state.status !== "pending") return notPending();
    if (!hasLapsed) return refused("proposal_not_due", "This offer hasn't lapsed yet.");
    return end(state, "expired", { type: "expired", proposalId: state.id });
  }
  const stranger = strangerProblem(state, command);
  if (stranger !== null) return refused("not_allowed", stranger);
  if (state.status !== "pending") return notPending();
  if (hasLapsed) return refused("proposal_expired", "This offer has lapsed.");
  const { by } = command;
  switch (command.type) {
    case "accept":
      return accept(state, command);
    case "counter":
      return counter(state, command, nowMs);
    case "decline":
      return end(state, "declined", { type: "declined", proposalId: state.id, by });
    case "cancel":
      return end(state, "cancelled", { type: "cancelled", proposalId: state.id, by });
  }
}

/** Why `by` may not give this command at all, whenever it comes; null when they may. */
function strangerProblem(
  { proposerId, takerId, status }: ProposalState,
  { type, by }: CommandOf<"accept" | "counter" | "decline" | "cancel">,
): string | null {
  if (type === "cancel") return by === proposerId ? null : "Only whoever made an offer can call it off.";
  if (by === proposerId) return "This is your own offer.";
  // Whoever comes second for an open offer is late, not a stranger; the offer bears the first one's name by then.
  const mayBeOpen = (takerId === null || status === "accepted") && type !== "decline";
  return mayBeOpen || by === takerId ? null : "This offer is for somebody else.";
}

function notPending(): Refused<"proposal_not_pending"> {
  return refused("proposal_not_pending", "This offer is no longer open.");
}

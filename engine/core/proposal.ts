import type { PlannedTransfer } from "./ledger.ts";
import type { Refused } from "./rejection.ts";

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
  | "amount_not_positive"
  | "amount_too_large"
  | "terms_invalid"
  | "lapse_out_of_range"
  | "opponent_is_self"
  | "referee_is_player";

export type ProposalDecision =
  | {
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
  | Refused<ProposalRejectionCode>;

export declare function decideProposal(
  state: ProposalState | null,
  command: ProposalCommand,
  nowMs: number,
): ProposalDecision;

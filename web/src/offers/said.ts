/** How an offer is talked about, from where the viewer stands. */
import type { Money } from "../../../engine/contract/primitives.ts";
import type { Proposal } from "../../../engine/contract/wager.ts";
import { exact } from "../money/show.ts";

/** Where the viewer stands: the one who made it, the one it is made to, somebody who may take it, or an onlooker. */
export type Standing = "proposer" | "taker" | "may_take" | "onlooker";

export function standingOf(proposal: Proposal, viewerId: string | null): Standing {
  if (viewerId !== null && proposal.proposer.id === viewerId) return "proposer";
  if (viewerId !== null && proposal.taker?.id === viewerId) return "taker";
  return proposal.taker === null && proposal.state === "pending" && proposal.referee?.id !== viewerId
    ? "may_take"
    : "onlooker";
}

export const takerName = (proposal: Proposal): string => proposal.taker?.handle ?? "Anyone";

/** "marcus: my 50.00 to your 10.00." */
export function offerSentence(proposal: Proposal): string {
  return `${proposal.proposer.handle}: my ${exact(proposal.proposerStake)} to your ${exact(proposal.takerStake)}.`;
}

/** What the viewer puts up and gets, as the taker or the proposer. */
export function stakesOf(proposal: Proposal, standing: Standing): { putUp: Money; gets: Money } {
  return standing === "proposer"
    ? { putUp: proposal.proposerStake, gets: proposal.proposerWinGets }
    : { putUp: proposal.takerStake, gets: proposal.takerWinGets };
}

const ended = {
  accepted: "Taken",
  countered: "Countered",
  declined: "Passed",
  cancelled: "Taken back",
  expired: "Lapsed",
} as const;

/** The stamp on an offer that no longer stands; null while it does. */
export const stampOf = (state: Proposal["state"]): string | null =>
  state === "pending" ? null : ended[state];

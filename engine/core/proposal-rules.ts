import { maxUint256 } from "./money.ts";
import type { ProposalState } from "./proposal.ts";
import { assert, type Refused, refused } from "./rejection.ts";
import { wholeBps } from "./split.ts";
import { cleanText } from "./text.ts";

export const proposalLimits = {
  termsChars: 280,
  shortestLapseMs: 60_000,
  longestLapseMs: 7 * 24 * 3_600_000,
  longestGameMinutes: 7 * 24 * 60,
} as const;

export type ProposalFault =
  | "amount_not_positive"
  | "amount_too_large"
  | "terms_invalid"
  | "lapse_out_of_range"
  | "opponent_is_self"
  | "referee_is_player";

/** A proposal that may be made at `nowMs`, its terms cleaned, or what is wrong with it. */
export function checkedProposal(
  draft: ProposalState,
  nowMs: number,
): { ok: true; state: ProposalState } | Refused<ProposalFault> {
  checkConfiguration(draft);
  for (const field of ["proposerStake", "takerStake"] as const) {
    if (draft[field] <= 0n) return refused("amount_not_positive", "Both sides put something up.", field);
    if (draft[field] > maxUint256) {
      return refused("amount_too_large", "That is more than any token holds.", field);
    }
  }
  // The pot is one amount in one wallet.
  if (draft.proposerStake + draft.takerStake > maxUint256) {
    return refused("amount_too_large", "Together that is more than any token holds.", "takerStake");
  }
  if (draft.takerId === draft.proposerId) {
    return refused("opponent_is_self", "You can't play against yourself.", "opponent");
  }
  if (
    draft.refereeId === draft.proposerId ||
    (draft.refereeId !== null && draft.refereeId === draft.takerId)
  ) {
    return refused("referee_is_player", "The referee can't be one of the players.", "referee");
  }
  const lapseMs = draft.expiresAtMs - nowMs;
  if (lapseMs < proposalLimits.shortestLapseMs || lapseMs > proposalLimits.longestLapseMs) {
    return refused(
      "lapse_out_of_range",
      "An offer stands between one minute and seven days.",
      "lapseSeconds",
    );
  }
  const terms = cleanText({ text: draft.terms, maxChars: proposalLimits.termsChars, lines: false });
  if (!terms.ok) return refused("terms_invalid", termsMessages[terms.problem], "terms");
  return { ok: true, state: { ...draft, terms: terms.text } };
}

const termsMessages = {
  empty: "Say what you play for.",
  too_long: `The terms have at most ${proposalLimits.termsChars} characters.`,
  unreadable: "The terms have characters in them that can't be seen. Type them again.",
} as const;

/** What the contract and the configuration have made sure of before. */
function checkConfiguration({ rakeBps, expectedMinutes, expiresAtMs }: ProposalState): void {
  assert(Number.isInteger(rakeBps) && rakeBps >= 0 && rakeBps <= wholeBps, `a rake of ${rakeBps} bps`);
  assert(
    Number.isInteger(expectedMinutes) &&
      expectedMinutes >= 1 &&
      expectedMinutes <= proposalLimits.longestGameMinutes,
    `a game of ${expectedMinutes} minutes`,
  );
  assert(Number.isSafeInteger(expiresAtMs), `an offer that lapses at ${expiresAtMs}`);
}

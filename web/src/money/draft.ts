/** An offer while it is written: one sentence and the boxes under it, kept in step. */
import { parseHandle } from "../../../engine/core/handle.ts";
import { oddsOf, parseAmount } from "../../../engine/core/money.ts";
import { parseOfferLine } from "../../../engine/core/offer-line.ts";
import { rakeOf } from "../../../engine/core/split.ts";

/** All as typed. `against` is a handle with or without its @, an address, or empty for anyone. */
export interface Draft {
  own: string;
  their: string;
  against: string;
  terms: string;
}
export const emptyDraft: Draft = { own: "", their: "", against: "", terms: "" };
export type DraftField = keyof Draft;

/** The sentence that says the same as the boxes. */
export function sentenceOf({ own, their, against, terms }: Draft): string {
  const stakes = own === "" ? "" : their === "" ? own : `${own} to ${their}`;
  const whom = against === "" || /^(?:@|0x)/i.test(against) ? against : `@${against}`;
  return [stakes, stakes === "" ? "" : whom, stakes === "" ? "" : terms].filter(Boolean).join(" ");
}

/** The boxes that a sentence fills, and what is still wrong with it, in words. */
export function draftOf(line: string): { draft: Draft; problem: string | null } {
  const parsed = parseOfferLine(line);
  const offer = parsed.ok ? parsed.offer : parsed.partial;
  const against = offer.handle ?? offer.address ?? "";
  return {
    draft: {
      own: offer.proposerStakeText ?? "",
      their: offer.takerStakeText ?? "",
      against,
      terms: offer.terms ?? "",
    },
    problem: parsed.ok ? null : parsed.rejection.message,
  };
}

/** The sum behind the Send button, in base units. */
export interface Figures {
  own: bigint;
  their: bigint;
  pot: bigint;
  /** The house's cut when the sender wins, and when the other one does; it is capped by what the loser put up. */
  cutWhenOwnWins: bigint;
  cutWhenTheirWins: bigint;
  ownGets: bigint;
  theirGets: bigint;
  /** "You're laying 5–1". */
  odds: string;
}

/** What each side puts up and gets; null while one of the amounts can't be read. */
export function figuresOf(
  draft: Pick<Draft, "own" | "their">,
  { decimals, rakeBps }: { decimals: number; rakeBps: number },
): Figures | null {
  const [own, their] = [parseAmount(draft.own, decimals), parseAmount(draft.their, decimals)];
  if (!own.ok || !their.ok) return null;
  const pot = own.amount + their.amount;
  const cutWhenOwnWins = rakeOf({ pot, losingStakes: their.amount, rakeBps });
  const cutWhenTheirWins = rakeOf({ pot, losingStakes: own.amount, rakeBps });
  return {
    own: own.amount,
    their: their.amount,
    pot,
    cutWhenOwnWins,
    cutWhenTheirWins,
    ownGets: pot - cutWhenOwnWins,
    theirGets: pot - cutWhenTheirWins,
    odds: oddsSaid(own.amount, their.amount),
  };
}

/** "You're laying 5–1", "You're getting 5–1" or "Even money". The larger number comes first, as it is said. */
export function oddsSaid(own: bigint, their: bigint): string {
  if (own === their) return "Even money";
  return own > their ? `You're laying ${oddsOf(own, their)}` : `You're getting ${oddsOf(their, own)}`;
}

/** What is wrong with each box; empty when the offer can be sent. */
export function draftProblems(draft: Draft, decimals: number): Partial<Record<DraftField, string>> {
  const problems: Partial<Record<DraftField, string>> = {};
  for (const field of ["own", "their"] as const) {
    const read = parseAmount(draft[field], decimals);
    if (!read.ok)
      problems[field] =
        draft[field] === ""
          ? field === "own"
            ? "Say what you put up."
            : "Say what they put up."
          : read.rejection.message;
  }
  if (draft.terms.trim() === "") problems.terms = "Say what you play for.";
  const opponent = opponentOf(draft.against);
  if (opponent === "invalid") problems.against = "A handle has 3 to 20 letters, digits or underscores.";
  return problems;
}

/** Whom the offer is for, as the engine takes it; null is anyone. */
export function opponentOf(against: string): { handle: string } | { address: string } | null | "invalid" {
  const text = against.trim();
  if (text === "" || /^any(?:one|body)$/i.test(text)) return null;
  if (/^0x[0-9a-f]{40}$/i.test(text)) return { address: text };
  const parsed = parseHandle(text);
  return parsed.ok ? { handle: parsed.handle } : "invalid";
}

import { addressProblem } from "./address.ts";
import { parseHandle } from "./handle.ts";
import { maxDecimals, parseAmount } from "./money.ts";
import { type Refused, refused } from "./rejection.ts";

/** What one sentence says: `50 to 10 @marcus first to 21`. The amounts still have to be read with the token's decimals. */
export interface OfferLine {
  proposerStakeText: string;
  takerStakeText: string;
  /** Null when the offer names an address, or nobody. */
  handle: string | null;
  /** As typed; its checksum isn't looked at here. */
  address: string | null;
  terms: string;
}

export type OfferLineRejectionCode =
  | "line_too_long"
  | "stake_missing"
  | "stake_invalid"
  | "handle_invalid"
  | "address_invalid"
  | "opponent_misplaced"
  | "terms_missing";

export type OfferLineResult =
  | { ok: true; offer: OfferLine }
  /** `partial` is what was understood so far, so that the boxes under the field fill while it is typed. */
  | (Refused<OfferLineRejectionCode> & { partial: Partial<OfferLine> });

export const longestLine = 400;

const betweenStakes = /^(?:\s+(?:to|vs\.?|against|for)\s+|\s*[:–—-]\s*)(?:(?:your|their)\s+)?/i;
// What a person may type for an amount, right or wrong, as one piece: nothing of it may be left over and read as terms.
const firstStake = /^\$?([0-9.][0-9.,_'’]*)(?=\s|$|[:–—-])/;
const secondStake = /^\$?([0-9.][0-9.,_'’]*)(?=\s|$)/;

/**
 * Reads the one-sentence form of an offer: stake, "to", stake, whom it is for, terms. "my" and "your", a dollar sign and
 * other words for "to" (`vs`, `against`, `:`, `-`) are understood. Without @handle, address or "anyone" after the stakes the
 * offer is open to anyone; an @name elsewhere is refused, because it would make a private offer public by accident.
 */
export function parseOfferLine(line: string): OfferLineResult {
  const partial: Partial<OfferLine> = {};
  const stop = (code: OfferLineRejectionCode, message: string, field: keyof OfferLine): OfferLineResult => ({
    ...refused(code, message, field),
    partial,
  });
  if (line.length > longestLine) return stop("line_too_long", "That is too long for one offer.", "terms");

  const own = takeStake(line.trim(), /^(?:my\s+)?/i, firstStake);
  if (own === null)
    return stop("stake_missing", "Start with what you put up: 50 to 10.", "proposerStakeText");
  if (own.problem !== null) return stop("stake_invalid", own.problem, "proposerStakeText");
  partial.proposerStakeText = own.text;

  const other = takeStake(own.rest, betweenStakes, secondStake);
  if (other === null) return stop("stake_missing", "Say what they put up: 50 to 10.", "takerStakeText");
  if (other.problem !== null) return stop("stake_invalid", other.problem, "takerStakeText");
  partial.takerStakeText = other.text;

  const opponent = takeOpponent(other.rest.trimStart());
  if (opponent.code !== null) return stop(opponent.code, opponent.message, "handle");
  partial.handle = opponent.handle;
  partial.address = opponent.address;

  const terms = opponent.rest.trim();
  if (terms === "") return stop("terms_missing", "Say what you play for: first to 21.", "terms");
  partial.terms = terms;
  if (opponent.isUnnamed && /(?:^|\s)@[A-Za-z0-9_]{3,20}(?![A-Za-z0-9_])/.test(terms)) {
    return stop("opponent_misplaced", "Put the @name right after the stakes: 50 to 10 @marcus.", "handle");
  }
  return {
    ok: true,
    offer: {
      proposerStakeText: own.text,
      takerStakeText: other.text,
      handle: opponent.handle,
      address: opponent.address,
      terms,
    },
  };
}

/** An amount after the words before it; null when there is none. */
function takeStake(
  text: string,
  before: RegExp,
  stake: RegExp,
): { text: string; problem: string | null; rest: string } | null {
  const lead = before.exec(text);
  if (lead === null) return null;
  const after = text.slice(lead[0].length);
  const amount = stake.exec(after);
  if (amount === null) return null;
  const digits = amount[1] ?? "";
  const read = parseAmount(digits, maxDecimals);
  const problem = /[,_'’]/.test(digits)
    ? "Write it without commas, and with a point before the decimals."
    : read.ok
      ? null
      : read.rejection.message;
  return { text: digits, problem, rest: after.slice(amount[0].length) };
}

type Opponent =
  | { code: null; handle: string | null; address: string | null; isUnnamed: boolean; rest: string }
  | { code: "handle_invalid" | "address_invalid"; message: string };

function takeOpponent(text: string): Opponent {
  const word = /^\S*/.exec(text)?.[0] ?? "";
  const rest = text.slice(word.length);
  if (word.startsWith("@")) {
    const parsed = parseHandle(word.replace(/[,:;]$/, ""));
    if (!parsed.ok) return { code: "handle_invalid", message: parsed.rejection.message };
    return { code: null, handle: parsed.handle, address: null, isUnnamed: false, rest };
  }
  if (/^0x/i.test(word)) {
    if (addressProblem(word) !== null) {
      return { code: "address_invalid", message: "An address is 0x and 40 hex digits." };
    }
    return { code: null, handle: null, address: word, isUnnamed: false, rest };
  }
  const isAnyone = /^(?:anyone|anybody)[,:;]?$/i.test(word);
  return { code: null, handle: null, address: null, isUnnamed: true, rest: isAnyone ? rest : text };
}

import { assert } from "./rejection.ts";

/** One hundred per cent in basis points. */
export const wholeBps = 10_000;

export interface Weight {
  id: string;
  /** Zero or more, in any unit that is the same for all. */
  weight: bigint;
}

export interface Share {
  id: string;
  share: bigint;
}

/**
 * Splits a total by weight, exactly: every share is total × weight ÷ Σ weights rounded down, and the units left over go
 * one each to the largest remainders, ties to the lowest id (`compareIds`). Σ shares = total, in the order given.
 *
 * Throws on equal ids, and when there is a total but no weight to give it to: who gets that is the caller's rule.
 * Source: largest remainder method (Hare quota).
 */
export function splitByWeight(total: bigint, weights: readonly Weight[]): Share[] {
  assert(total >= 0n, "a total to be split isn't negative");
  assert(
    weights.every(({ weight }) => weight >= 0n),
    "a weight isn't negative",
  );
  assert(new Set(weights.map(({ id }) => id)).size === weights.length, "each id has one weight");
  const weightSum = weights.reduce((sum, { weight }) => sum + weight, 0n);
  assert(weightSum > 0n || total === 0n, "a total needs a weight to go to");
  if (weightSum === 0n) return weights.map(({ id }) => ({ id, share: 0n }));

  const parts = weights.map(({ id, weight }) => ({
    id,
    share: (total * weight) / weightSum,
    remainder: (total * weight) % weightSum,
  }));
  // Fewer units are left than there are parts with a remainder, so no part without weight ever gets one.
  const unitsLeft = total - parts.reduce((sum, { share }) => sum + share, 0n);
  const lucky = new Set(
    [...parts]
      .sort((a, b) => compareAmounts(b.remainder, a.remainder) || compareIds(a.id, b.id))
      .slice(0, Number(unitsLeft))
      .map(({ id }) => id),
  );
  return parts.map(({ id, share }) => ({ id, share: lucky.has(id) ? share + 1n : share }));
}

/**
 * Orders ids: whole numbers by value ("9" before "10"), before all others, which go by code unit. Ids of equal value
 * but other text ("7", "07") go by code unit too, so that the order is total.
 */
export function compareIds(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  const byValue = isNumberA ? compareAmounts(BigInt(a), BigInt(b)) : 0;
  if (byValue !== 0) return byValue;
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The house's cut: `rakeBps` of the pot rounded down, out of the losing stakes and never more than these, so that a
 * winner never gets back less than the stake. 50.00 against 10.00 at 500 bps costs the winner 3.00 either way.
 */
export function rakeOf({
  pot,
  losingStakes,
  rakeBps,
}: {
  pot: bigint;
  losingStakes: bigint;
  rakeBps: number;
}): bigint {
  assert(Number.isInteger(rakeBps) && rakeBps >= 0 && rakeBps <= wholeBps, `a rake of ${rakeBps} bps`);
  assert(losingStakes >= 0n && losingStakes <= pot, "losing stakes are part of the pot");
  const cut = (pot * BigInt(rakeBps)) / BigInt(wholeBps);
  return cut < losingStakes ? cut : losingStakes;
}

function compareAmounts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxUint256 } from "../../engine/core/money.ts";
import { type Outcome, recomputeSettlement, settleDuel } from "../../engine/core/settlement.ts";
import { compareIds, rakeOf, splitByWeight } from "../../engine/core/split.ts";

/** A small generator with a seed (mulberry32): a hundred thousand pools have to be cheap, and a failure to replay. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
const pools = 100_000;
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
/** Amounts of every size from 1 unit to 2^250. */
const randomAmount = (below: ReturnType<typeof seeded>) => {
  const bits = BigInt(below(250));
  return (1n << bits) + ((BigInt(below(2 ** 31)) * BigInt(below(2 ** 31))) % (1n << bits));
};

test("100,000 random pools split by weight: Σ out = Σ in, and nobody is more than a unit off", () => {
  const below = seeded(17);
  for (let pool = 0; pool < pools; pool += 1) {
    const weights = Array.from({ length: 1 + below(8) }, (_, i) => ({
      id: String(i),
      weight: below(5) === 0 ? 0n : randomAmount(below),
    }));
    weights[0] = { id: "0", weight: 1n + BigInt(below(1_000)) };
    const total = below(20) === 0 ? BigInt(below(3)) : randomAmount(below);
    const weightSum = sum(weights.map(({ weight }) => weight));
    const shares = splitByWeight(total, weights);
    if (sum(shares.map(({ share }) => share)) !== total) throw new Error(`pool ${pool} loses or makes money`);
    for (const [i, { share }] of shares.entries()) {
      const exact = total * (weights[i]?.weight ?? 0n);
      const isOff = share * weightSum <= exact - weightSum || share * weightSum >= exact + weightSum;
      if (isOff) throw new Error(`pool ${pool} is unfair to ${i}`);
    }
  }
});

test("100,000 random duels: Σ out = Σ in, no loser is paid, no winner gets less than the stake", () => {
  const below = seeded(18);
  const outcomes: Outcome[] = ["red", "blue", "draw", "no_contest"];
  for (let duel = 0; duel < pools; duel += 1) {
    const stakes = { red: randomAmount(below), blue: randomAmount(below) };
    if (below(10) === 0) stakes.red = 1n;
    const outcome = outcomes[below(4)] ?? "draw";
    const rakeBps = below(10_001);
    const inputs = { stakes, outcome, rakeBps };
    const { payouts, rake, dust } = settleDuel(inputs);
    const pot = stakes.red + stakes.blue;
    if (payouts.red + payouts.blue + rake + dust !== pot)
      throw new Error(`duel ${duel} loses or makes money`);
    if (outcome === "red" || outcome === "blue") {
      const loser = outcome === "red" ? "blue" : "red";
      const isWrong = payouts[outcome] < stakes[outcome] || payouts[loser] !== 0n || rake > stakes[loser];
      if (isWrong || rake * 10_000n > pot * BigInt(rakeBps)) throw new Error(`duel ${duel} is unfair`);
    } else if (payouts.red !== stakes.red || payouts.blue !== stakes.blue || rake !== 0n) {
      throw new Error(`duel ${duel} takes money for a ${outcome}`);
    }
    const again = recomputeSettlement({ ruleVersion: 1, inputs });
    if (again.rake !== rake || again.payouts.red !== payouts.red)
      throw new Error(`duel ${duel} can't be recomputed`);
  }
});

describe("a split by weight", () => {
  const weighted = fc.uniqueArray(
    fc.record({
      id: fc.oneof(fc.nat().map(String), fc.string({ minLength: 1 })),
      weight: fc.bigInt({ min: 0n, max: 50n }),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
  );

  test("doesn't depend on the order in which people stand", () => {
    fc.assert(
      fc.property(weighted, fc.bigInt({ min: 0n, max: 1_000n }), (weights, total) => {
        fc.pre(weights.some(({ weight }) => weight > 0n));
        const byId = (shares: ReturnType<typeof splitByWeight>) =>
          new Map(shares.map(({ id, share }) => [id, share]));
        expect(byId(splitByWeight(total, [...weights].reverse()))).toEqual(
          byId(splitByWeight(total, weights)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("never gives more to less weight, and gives equal weights the order of their ids", () => {
    fc.assert(
      fc.property(weighted, fc.bigInt({ min: 1n, max: 1_000n }), (weights, total) => {
        fc.pre(weights.some(({ weight }) => weight > 0n));
        const shares = splitByWeight(total, weights).map((share, i) => ({
          ...share,
          weight: weights[i]?.weight ?? 0n,
        }));
        for (const a of shares) {
          for (const b of shares) {
            if (a.weight === b.weight && compareIds(a.id, b.id) < 0) expect(a.share >= b.share).toBe(true);
            if (a.weight === 0n) expect(a.share).toBe(0n);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test("ids have one order: of two different ones, one comes first", () => {
  const ids = fc.oneof(fc.nat().map(String), fc.string(), fc.constantFrom("0", "00", "1", "01", "a", "A"));
  fc.assert(
    fc.property(ids, ids, ids, (a, b, c) => {
      expect(Math.sign(compareIds(a, b)) + Math.sign(compareIds(b, a))).toBe(0);
      expect(compareIds(a, b) === 0).toBe(a === b);
      if (compareIds(a, b) < 0 && compareIds(b, c) < 0) expect(compareIds(a, c)).toBe(-1);
    }),
    { numRuns: 5_000 },
  );
});

test("more losing stakes or more basis points never make the rake smaller", () => {
  const stake = fc.bigInt({ min: 1n, max: maxUint256 / 4n });
  fc.assert(
    fc.property(stake, stake, stake, fc.nat(10_000), fc.nat(10_000), (own, losing, more, bps, otherBps) => {
      const rake = (lost: bigint, rakeBps: number) =>
        rakeOf({ pot: own + lost, losingStakes: lost, rakeBps });
      expect(rake(losing + more, bps) >= rake(losing, bps)).toBe(true);
      const [low, high] = [Math.min(bps, otherBps), Math.max(bps, otherBps)];
      expect(rake(losing, high) >= rake(losing, low)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

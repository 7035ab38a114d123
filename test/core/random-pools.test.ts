/** A hundred thousand random pools for each rule: what goes out is what came in (SAFETY 17). */
import { describe, expect, test } from "vitest";
import { type Outcome, otherSide, settleDuel, settlementTransfers } from "../../engine/core/settlement.ts";
import { splitByWeight } from "../../engine/core/split.ts";
import { ada, ben, token } from "./sample.ts";

const pools = 100_000;

/** The same numbers in each run (a linear congruence, Knuth's MMIX constants); sizes from 1 unit to 2^96. */
function* randomNumbers(seed: bigint): Generator<bigint> {
  let state = seed;
  for (;;) {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    yield state >> 16n;
  }
}
const numbers = randomNumbers(17n);
const below = (limit: bigint): bigint => (numbers.next().value as bigint) % limit;
const amount = (): bigint => 1n + (below(1n << 48n) << below(49n)) / (1n << below(48n));

describe("a duel", () => {
  test.each<Outcome>(["red", "blue", "draw", "no_contest"])(
    "that ends with %s gives out exactly its two stakes, and never less than the winner's own (SAFETY 17)",
    (outcome) => {
      for (let pool = 0; pool < pools; pool += 1) {
        const stakes = { red: amount(), blue: amount() };
        const inputs = { stakes, outcome, rakeBps: Number(below(10_001n)) };
        const outputs = settleDuel(inputs);
        const { payouts, rake, dust } = outputs;
        const total = stakes.red + stakes.blue;
        let isRight = payouts.red + payouts.blue + rake + dust === total;
        isRight &&= payouts.red >= 0n && payouts.blue >= 0n && rake >= 0n && dust === 0n;
        if (outcome === "red" || outcome === "blue") {
          const owed = (total * BigInt(inputs.rakeBps)) / 10_000n;
          const lost = stakes[otherSide(outcome)];
          isRight &&= rake === (owed < lost ? owed : lost) && payouts[outcome] >= stakes[outcome];
        } else isRight &&= payouts.red === stakes.red && payouts.blue === stakes.blue;
        if (!isRight) expect({ inputs, outputs }).toBe("a settlement that adds up");
        if (pool % 100 !== 0) continue;
        const paidTo = {
          red: { kind: "player.available", playerId: ada },
          blue: { kind: "player.available", playerId: ben },
        } as const;
        const settlement = { ruleVersion: 1, inputs, outputs, decidedBy: "agreement", paidTo } as const;
        const booked = settlementTransfers({ gameId: "g", token, settlement, number: 1 });
        expect(booked.reduce((sum, transfer) => sum + transfer.amount, 0n)).toBe(total);
      }
    },
  );
});

describe("a split by weight", () => {
  test("gives out exactly what there is, each share within one unit of its part (SAFETY 17)", () => {
    for (let pool = 0; pool < pools; pool += 1) {
      const weights = Array.from({ length: 1 + Number(below(6n)) }, (_, id) => ({
        id: String(id + 1),
        weight: amount(),
      }));
      const total = amount() - 1n;
      const whole = weights.reduce((sum, { weight }) => sum + weight, 0n);
      const shares = splitByWeight(total, weights);
      let isRight = shares.reduce((sum, { share }) => sum + share, 0n) === total;
      for (const [index, { weight }] of weights.entries()) {
        const floor = (total * weight) / whole;
        const share = shares[index]?.share ?? -1n;
        isRight &&= share === floor || share === floor + 1n;
      }
      if (!isRight) expect({ total, weights, shares }).toBe("a split that adds up");
    }
  });
});

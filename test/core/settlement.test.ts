import { describe, expect, test } from "vitest";
import type { AccountRef } from "../../engine/core/ledger.ts";
import {
  type Outcome,
  otherSide,
  recomputeSettlement,
  type Settlement,
  settleDuel,
  settlementTransfers,
} from "../../engine/core/settlement.ts";
import { ada, ben, token } from "./sample.ts";

const stakes = { red: 50_000_000n, blue: 10_000_000n };
const pool = (playerId: string): AccountRef => ({ kind: "player.available", playerId });
const wallet: AccountRef = { kind: "outside", address: `0x${"cd".repeat(20)}` };
const settled = (outcome: Outcome, paidTo = { red: pool(ada), blue: pool(ben) }): Settlement => {
  const inputs = { stakes, outcome, rakeBps: 500 };
  return { ruleVersion: 1, inputs, outputs: settleDuel(inputs), decidedBy: "agreement", paidTo };
};
const booked = (settlement: Settlement, number = 1) =>
  settlementTransfers({ gameId: "g", token, settlement, number }).map(({ key, reason, amount, to }) => [
    key.replace("game:g:settlement:", ""),
    reason,
    amount,
    to.kind,
  ]);

describe("my 50.00 to your 10.00 at 5 %", () => {
  test("you put up 10.00: win, you get 57.00", () => {
    expect(settleDuel({ stakes, outcome: "blue", rakeBps: 500 })).toEqual({
      payouts: { red: 0n, blue: 57_000_000n },
      rake: 3_000_000n,
      dust: 0n,
    });
  });

  test("I win, I get 57.00", () => {
    expect(settleDuel({ stakes, outcome: "red", rakeBps: 500 }).payouts).toEqual({
      red: 57_000_000n,
      blue: 0n,
    });
  });

  test.each(["draw", "no_contest"] as const)("a %s gives both stakes back and costs nothing", (outcome) => {
    expect(settleDuel({ stakes, outcome, rakeBps: 500 })).toEqual({ payouts: stakes, rake: 0n, dust: 0n });
  });
});

test("a heavy favourite never gets back less than the stake", () => {
  const outputs = settleDuel({ stakes: { red: 1_000n, blue: 1n }, outcome: "red", rakeBps: 500 });
  expect(outputs).toEqual({ payouts: { red: 1_000n, blue: 0n }, rake: 1n, dust: 0n });
});

test("the smallest duel there is pays its winner both units", () => {
  const outputs = settleDuel({ stakes: { red: 1n, blue: 1n }, outcome: "blue", rakeBps: 500 });
  expect(outputs).toEqual({ payouts: { red: 0n, blue: 2n }, rake: 0n, dust: 0n });
});

test("a duel has two stakes", () => {
  expect(() => settleDuel({ stakes: { red: 0n, blue: 1n }, outcome: "red", rakeBps: 0 })).toThrow("stake");
  expect(() => settleDuel({ stakes: { red: 1n, blue: 0n }, outcome: "draw", rakeBps: 0 })).toThrow("stake");
});

test("anyone can recompute a settlement from its inputs and rule", () => {
  const settlement = settled("red");
  expect(recomputeSettlement(settlement)).toEqual(settlement.outputs);
  const unknown = { ...settlement, ruleVersion: 2 } as unknown as Settlement;
  expect(() => recomputeSettlement(unknown)).toThrow("rule 2");
});

describe("what a settlement books", () => {
  test("winnings into the pool are a win, the rake stays in the escrow until it is swept", () => {
    expect(booked(settled("red"))).toEqual([
      ["1:red", "win", 57_000_000n, "player.available"],
      ["1:rake", "rake", 3_000_000n, "house.rake"],
    ]);
  });

  test("winnings to a wallet are a payout", () => {
    expect(booked(settled("blue", { red: pool(ada), blue: wallet }))).toEqual([
      ["1:blue", "payout", 57_000_000n, "outside"],
      ["1:rake", "rake", 3_000_000n, "house.rake"],
    ]);
  });

  test("stakes come back as what they are", () => {
    expect(booked(settled("draw"))).toEqual([
      ["1:red", "stake_returned", 50_000_000n, "player.available"],
      ["1:blue", "stake_returned", 10_000_000n, "player.available"],
    ]);
  });

  test("a settlement after an undo has keys of its own", () => {
    const keys = [...booked(settled("red"), 1), ...booked(settled("red"), 2)].map(([key]) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("a stake that comes back never leaves the house unasked", () => {
    expect(() => booked(settled("draw", { red: wallet, blue: pool(ben) }))).toThrow("Broken promise");
  });

  test.each([1n, -1n])("outputs that are off by %s are never booked", (off) => {
    const settlement = settled("red");
    const outputs = { ...settlement.outputs, rake: settlement.outputs.rake + off };
    expect(() => booked({ ...settlement, outputs })).toThrow("exactly what is in it");
  });

  test("dust is the house's, by its own name", () => {
    const settlement = settled("red");
    const outputs = { ...settlement.outputs, rake: settlement.outputs.rake - 1n, dust: 1n };
    expect(booked({ ...settlement, outputs }).at(-1)).toEqual(["1:dust", "dust", 1n, "house.dust"]);
  });
});

test("the other side of red is blue", () => {
  expect([otherSide("red"), otherSide("blue")]).toEqual(["blue", "red"]);
});

import { describe, expect, test } from "vitest";
import { compareIds, rakeOf, splitByWeight } from "../../engine/core/split.ts";

const split = (total: bigint, weights: [string, bigint][]) =>
  splitByWeight(
    total,
    weights.map(([id, weight]) => ({ id, weight })),
  ).map(({ id, share }) => [id, share]);

describe("splitting by weight", () => {
  test("the unit left over goes to the largest remainder", () => {
    expect(
      split(10n, [
        ["1", 1n],
        ["2", 2n],
        ["3", 4n],
      ]),
    ).toEqual([
      ["1", 1n],
      ["2", 3n],
      ["3", 6n],
    ]);
  });

  test("equal remainders go by the lowest id, numbers by value", () => {
    expect(
      split(1n, [
        ["10", 1n],
        ["9", 1n],
      ]),
    ).toEqual([
      ["10", 0n],
      ["9", 1n],
    ]);
    expect(
      split(2n, [
        ["c", 1n],
        ["b", 1n],
        ["a", 1n],
      ]),
    ).toEqual([
      ["c", 0n],
      ["b", 1n],
      ["a", 1n],
    ]);
  });

  test("whoever has no weight gets nothing, not even the dust", () => {
    expect(
      split(5n, [
        ["1", 0n],
        ["2", 3n],
        ["3", 3n],
      ]),
    ).toEqual([
      ["1", 0n],
      ["2", 3n],
      ["3", 2n],
    ]);
  });

  test("nothing is split into nothing", () => {
    expect(split(0n, [["1", 0n]])).toEqual([["1", 0n]]);
    expect(
      split(0n, [
        ["1", 3n],
        ["2", 3n],
      ]),
    ).toEqual([
      ["1", 0n],
      ["2", 0n],
    ]);
    expect(split(0n, [])).toEqual([]);
  });

  test("what can't be split is a broken promise", () => {
    expect(() => split(1n, [])).toThrow("a weight to go to");
    expect(() => split(1n, [["1", 0n]])).toThrow("a weight to go to");
    expect(() => split(-1n, [["1", 1n]])).toThrow("negative");
    expect(() =>
      split(1n, [
        ["1", -1n],
        ["2", 3n],
      ]),
    ).toThrow("negative");
    expect(() =>
      split(1n, [
        ["1", 1n],
        ["1", 1n],
      ]),
    ).toThrow("one weight");
  });
});

test("ids order by value, then by text, and no two different ids are equal", () => {
  const ids = ["b", "10", "9", "a", "07", "7", "0", "123456789012345678901234567890", "A"];
  expect([...ids].sort(compareIds)).toEqual([
    "0",
    "07",
    "7",
    "9",
    "10",
    "123456789012345678901234567890",
    "A",
    "a",
    "b",
  ]);
  expect(compareIds("7", "7")).toBe(0);
});

describe("the rake", () => {
  test("is a share of the pot, rounded down", () => {
    expect(rakeOf({ pot: 60_000_000n, losingStakes: 10_000_000n, rakeBps: 500 })).toBe(3_000_000n);
    expect(rakeOf({ pot: 39n, losingStakes: 19n, rakeBps: 500 })).toBe(1n);
    expect(rakeOf({ pot: 19n, losingStakes: 9n, rakeBps: 500 })).toBe(0n);
  });

  test("never takes more than the losing side put in", () => {
    expect(rakeOf({ pot: 1_001n, losingStakes: 1n, rakeBps: 500 })).toBe(1n);
    expect(rakeOf({ pot: 20n, losingStakes: 10n, rakeBps: 10_000 })).toBe(10n);
    expect(rakeOf({ pot: 20n, losingStakes: 0n, rakeBps: 10_000 })).toBe(0n);
  });

  test.each([-1, 10_001, 2.5, Number.NaN])("of %s bps is a broken promise", (rakeBps) => {
    expect(() => rakeOf({ pot: 20n, losingStakes: 10n, rakeBps })).toThrow("bps");
  });

  test("knows that losing stakes are part of the pot", () => {
    expect(() => rakeOf({ pot: 20n, losingStakes: 21n, rakeBps: 1 })).toThrow("pot");
    expect(() => rakeOf({ pot: 20n, losingStakes: -1n, rakeBps: 1 })).toThrow("pot");
  });
});

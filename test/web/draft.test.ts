import { describe, expect, test } from "vitest";
import {
  draftOf,
  draftProblems,
  emptyDraft,
  figuresOf,
  opponentOf,
  sentenceOf,
} from "../../web/src/money/draft.ts";
import { percent } from "../../web/src/money/show.ts";

const usdc = { decimals: 6, rakeBps: 500 };

describe("an offer while it is written", () => {
  test("the sentence fills the boxes, and the boxes make the same sentence", () => {
    const { draft, problem } = draftOf("50 to 10 @marcus first to 21");
    expect(draft).toEqual({ own: "50", their: "10", against: "marcus", terms: "first to 21" });
    expect(problem).toBeNull();
    expect(sentenceOf(draft)).toBe("50 to 10 @marcus first to 21");
  });

  test("half a sentence fills what it says", () => {
    expect(draftOf("50 to ").draft).toEqual({ ...emptyDraft, own: "50" });
    expect(draftOf("50 to 10").draft).toEqual({ ...emptyDraft, own: "50", their: "10" });
  });

  test("a name in the wrong place is a problem, not an offer to anyone", () => {
    expect(draftOf("50 to 10 first to 21 with @marcus").problem).not.toBeNull();
  });

  test("nobody named is anyone; a handle, an address and nonsense are told apart", () => {
    expect(opponentOf("")).toBeNull();
    expect(opponentOf("Anyone")).toBeNull();
    expect(opponentOf("@marcus")).toEqual({ handle: "marcus" });
    expect(opponentOf(`0x${"a".repeat(40)}`)).toEqual({ address: `0x${"a".repeat(40)}` });
    expect(opponentOf("a b")).toBe("invalid");
  });

  test("each box that is missing says so", () => {
    expect(Object.keys(draftProblems(emptyDraft, 6)).sort()).toEqual(["own", "terms", "their"]);
    expect(draftProblems({ own: "5", their: "0.0000001", against: "", terms: "x" }, 6)).toEqual({
      their: expect.stringContaining("6 decimals"),
    });
  });
});

describe("the sum before Send", () => {
  test("50 to 10 at 5 %: a pot of 60, 3 to the house, 57 to the winner, laying 5–1", () => {
    expect(figuresOf({ own: "50", their: "10" }, usdc)).toEqual({
      own: 50_000_000n,
      their: 10_000_000n,
      pot: 60_000_000n,
      cutWhenOwnWins: 3_000_000n,
      cutWhenTheirWins: 3_000_000n,
      ownGets: 57_000_000n,
      theirGets: 57_000_000n,
      odds: "You're laying 5–1",
    });
  });

  test("the cut never takes more than the loser put up", () => {
    const sum = figuresOf({ own: "100", their: "1" }, usdc);
    expect(sum?.ownGets).toBe(100_000_000n);
    expect(sum?.cutWhenOwnWins).toBe(1_000_000n);
  });

  test("the odds are said from the sender's side", () => {
    expect(figuresOf({ own: "5", their: "100" }, usdc)?.odds).toBe("You're getting 20–1");
    expect(figuresOf({ own: "5", their: "5.00" }, usdc)?.odds).toBe("Even money");
  });

  test("there is no sum while an amount can't be read", () => {
    expect(figuresOf({ own: "5,0", their: "10" }, usdc)).toBeNull();
    expect(figuresOf({ own: "", their: "10" }, usdc)).toBeNull();
  });
});

test("basis points are printed as a percentage without a rounding", () => {
  expect([500, 275, 250, 5, 0, 10_000].map(percent)).toEqual([
    "5 %",
    "2.75 %",
    "2.5 %",
    "0.05 %",
    "0 %",
    "100 %",
  ]);
});

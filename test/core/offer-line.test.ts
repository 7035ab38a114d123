import { describe, expect, test } from "vitest";
import { longestLine, parseOfferLine } from "../../engine/core/offer-line.ts";

const address = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
const offer = (change = {}) => ({
  ok: true,
  offer: {
    proposerStakeText: "50",
    takerStakeText: "10",
    handle: "marcus",
    address: null,
    terms: "first to 21",
    ...change,
  },
});
const stopped = (line: string) => {
  const result = parseOfferLine(line);
  return result.ok ? result : [result.rejection.code, result.rejection.field];
};

describe("one sentence is an offer", () => {
  test.each([
    "50 to 10 @marcus first to 21",
    "  50  to  10   @marcus   first to 21  ",
    "my 50 to your 10 @marcus first to 21",
    "My $50 TO their $10 @marcus: first to 21",
    "50 vs 10 @marcus first to 21",
    "50 vs. 10 @marcus, first to 21",
    "50 against 10 @marcus first to 21",
    "50 for 10 @marcus first to 21",
    "50:10 @marcus first to 21",
    "50-10 @marcus first to 21",
    "50 – 10 @marcus first to 21",
  ])("%s", (line) => expect(parseOfferLine(line)).toEqual(offer()));

  test.each([
    ["50 to 10 first to 21", { handle: null }],
    ["50 to 10 anyone first to 21", { handle: null }],
    ["50 to 10 Anybody: first to 21", { handle: null }],
    [
      "0.5 to 10.25 @Marcus 21 points",
      { proposerStakeText: "0.5", takerStakeText: "10.25", handle: "Marcus", terms: "21 points" },
    ],
    [`50 to 10 ${address} first to 21`, { handle: null, address }],
    ["50 to 10 first to 21 @ the rail", { handle: null, terms: "first to 21 @ the rail" }],
    ["50 to 10 @marcus @leo referees", { terms: "@leo referees" }],
    ["50 to 10 mail me at a@example.org", { handle: null, terms: "mail me at a@example.org" }],
  ])("%s", (line, change) => expect(parseOfferLine(line)).toEqual(offer(change)));
});

describe("a sentence that isn't one says where it stops", () => {
  test.each([
    ["", "stake_missing", "proposerStakeText"],
    ["@marcus 50 to 10 first to 21", "stake_missing", "proposerStakeText"],
    ["fifty to ten", "stake_missing", "proposerStakeText"],
    ["-50 to 10 first to 21", "stake_missing", "proposerStakeText"],
    ["50to 10 first to 21", "stake_missing", "proposerStakeText"],
    ["1e21 to 10 x", "stake_missing", "proposerStakeText"],
    ["0x10 to 10 x", "stake_missing", "proposerStakeText"],
    ["50", "stake_missing", "takerStakeText"],
    ["50 to", "stake_missing", "takerStakeText"],
    ["50 @marcus first to 21", "stake_missing", "takerStakeText"],
    ["50 to 10x first", "stake_missing", "takerStakeText"],
    ["50 to 3:2 first", "stake_missing", "takerStakeText"],
    ["1,000 to 10 x", "stake_invalid", "proposerStakeText"],
    ["1_000 to 10 x", "stake_invalid", "proposerStakeText"],
    ["5. to 10 x", "stake_invalid", "proposerStakeText"],
    ["0 to 10 x", "stake_invalid", "proposerStakeText"],
    ["50 to .5 x", "stake_invalid", "takerStakeText"],
    ["50 to 0.00 x", "stake_invalid", "takerStakeText"],
    ["50 to 10 @m first", "handle_invalid", "handle"],
    ["50 to 10 @mаrcus first", "handle_invalid", "handle"],
    ["50 to 10 @anyone first", "handle_invalid", "handle"],
    [`50 to 10 ${address.slice(0, -1)} first`, "address_invalid", "handle"],
    [`50 to 10 0x${"0".repeat(40)} first`, "address_invalid", "handle"],
    ["50 to 10 @marcus", "terms_missing", "terms"],
    ["50 to 10", "terms_missing", "terms"],
    ["50 to 10 first to 21 @marcus", "opponent_misplaced", "handle"],
    ["50 to 10 anyone but @marcus", "opponent_misplaced", "handle"],
    ["50 to 10 @ marcus", "handle_invalid", "handle"],
    ["x".repeat(longestLine + 1), "line_too_long", "terms"],
  ])("%s", (line, code, field) => {
    expect(stopped(line)).toEqual([code, field]);
  });
});

test("what was understood so far fills the boxes while it is typed", () => {
  const partial = (line: string) => {
    const result = parseOfferLine(line);
    return result.ok ? result : result.partial;
  };
  expect(partial("")).toEqual({});
  expect(partial("50")).toEqual({ proposerStakeText: "50" });
  expect(partial("50 to 10")).toEqual({
    proposerStakeText: "50",
    takerStakeText: "10",
    handle: null,
    address: null,
  });
  expect(partial("50 to 10 @marcus")).toMatchObject({ handle: "marcus" });
  expect(partial("50 to 10 @m")).toEqual({ proposerStakeText: "50", takerStakeText: "10" });
});

test("a comma is answered with how to write it", () => {
  const result = parseOfferLine("1,000 to 10 x");
  expect(!result.ok && result.rejection.message).toBe(
    "Write it without commas, and with a point before the decimals.",
  );
});

test("a hostile line costs no time", () => {
  for (const piece of [" ", "5", "5,", "@", "my ", "-", "to "]) {
    expect(parseOfferLine(piece.repeat(longestLine / piece.length)).ok).toBe(false);
  }
});

import { describe, expect, test } from "vitest";
import { consequenceSaid, outcomeSaid, payoutSaid } from "../../web/src/games/said.ts";
import { newsOf } from "../../web/src/live/news.ts";
import { stakesOf, standingOf } from "../../web/src/offers/said.ts";
import { countdown, length } from "../../web/src/time/say.ts";
import { isClosedByUser, walletProblem } from "../../web/src/wallet/refusal.ts";
import { anna, event, game, marcus, money, payout, proposal } from "./samples.ts";

describe("an offer, from where the viewer stands", () => {
  test("the proposer reads the own stake, everybody else the taker's", () => {
    const open = proposal();
    expect(standingOf(open, marcus.id)).toBe("proposer");
    expect(stakesOf(open, "proposer")).toEqual({ putUp: money(50), gets: money(57) });
    expect(standingOf(open, anna.id)).toBe("may_take");
    expect(stakesOf(open, "may_take").putUp).toEqual(money(10));
  });

  test("an offer to somebody else, one that is over and one's own refereeing can't be taken", () => {
    expect(standingOf(proposal({ taker: { id: "3", handle: "zoe" } }), anna.id)).toBe("onlooker");
    expect(standingOf(proposal({ state: "expired" }), anna.id)).toBe("onlooker");
    expect(standingOf(proposal({ referee: anna }), anna.id)).toBe("onlooker");
  });
});

describe("a game in words", () => {
  test("the viewer's own win is said as such", () => {
    expect(outcomeSaid(game(), "blue", "blue")).toBe("You won");
    expect(outcomeSaid(game(), "blue", "red")).toBe("anna won");
    expect(outcomeSaid(game(), "draw")).toBe("A draw");
  });

  test("the clock says who is paid what when nobody objects", () => {
    const reported = game({ state: "reported", red: { ...game().red, report: "red" } });
    expect(consequenceSaid(reported)).toEqual({
      before: "If nobody objects by",
      after: "marcus is paid 57.00.",
    });
    const draw = game({ state: "reported", red: { ...game().red, report: "draw" } });
    expect(consequenceSaid(draw)?.after).toBe("both stakes go back.");
  });

  test("money that is on its way is never said to be there", () => {
    for (const state of ["waiting", "sent"] as const) {
      expect(payoutSaid(payout({ state }))).toContain("won, sending");
    }
    expect(payoutSaid(payout({ state: "final" }))).toBe("57.00 USDC is in the wallet.");
  });
});

describe("news of money", () => {
  const deposit = {
    id: "7",
    money: money(25),
    posted: false,
    sender: "0x1",
    txHash: "0x2",
    blockNumber: "1",
    seenAt: "2030-01-01T00:00:00.000Z",
  };
  test("each stage of a deposit is told once under its own key", () => {
    const told = (["seen", "playable", "orphaned"] as const).map((state) =>
      newsOf(event("deposit:update", { deposit: { ...deposit, state } }), anna.id),
    );
    expect(new Set(told.map((line) => line?.key)).size).toBe(3);
    expect(told[1]?.text).toBe("25.00 USDC is yours to play with.");
  });

  test("only the player's own money is told", () => {
    const paid = event("game:payout-complete", { gameId: "game-1", payout: payout({ state: "final" }) });
    expect(newsOf(paid, marcus.id)?.text).toBe("Paid: 57.00 USDC to your wallet.");
    expect(newsOf(paid, anna.id)).toBeNull();
    expect(newsOf(event("proposal:update", { proposal: proposal() }), anna.id)).toBeNull();
  });
});

test("clocks are read as people say them, and never below zero", () => {
  expect([-5, 0, 552_000, 7_500_000, 273_600_000].map(countdown)).toEqual([
    "0:00",
    "0:00",
    "9:12",
    "2 h 05 min",
    "3 d 4 h",
  ]);
  expect([60, 90, 1_800, 7_200, 86_400].map(length)).toEqual(["60 s", "90 s", "30 min", "2 h", "1 d"]);
});

test("a closed wallet request is told from a broken one, however deep it is wrapped", () => {
  const closed = new Error("wrapped", { cause: new Error("deeper", { cause: { code: 4001 } }) });
  expect(isClosedByUser(closed)).toBe(true);
  expect(walletProblem(closed)).toBe("You closed the request. Nothing happened.");
  expect(isClosedByUser(new Error("the wallet is locked"))).toBe(false);
});

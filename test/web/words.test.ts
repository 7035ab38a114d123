import { describe, expect, test } from "vitest";
import { consequenceSaid, outcomeSaid, payoutSaid } from "../../web/src/games/said.ts";
import { newsOf } from "../../web/src/live/news.ts";
import { waitingFor } from "../../web/src/live/waiting.ts";
import { allowedNow } from "../../web/src/money/said.ts";
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
    expect(payoutSaid(payout({ state: "parked" }))).toContain("couldn't be sent. It waits here");
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
    expect(told[1]?.text).toBe("25.00 USDC is in your pool.");
  });

  test("nobody is told to play with what came in a token out of play", () => {
    for (const state of ["seen", "playable", "final"] as const) {
      expect(allowedNow({ state }, true)).toMatch(/play with/i);
      expect(allowedNow({ state }, false)).not.toMatch(/play with/i);
    }
  });

  test("only the player's own money is told", () => {
    const paid = event("game:payout-complete", { gameId: "game-1", payout: payout({ state: "final" }) });
    expect(newsOf(paid, marcus.id)?.text).toBe("Paid: 57.00 USDC to your wallet.");
    expect(newsOf(paid, anna.id)).toBeNull();
    expect(newsOf(event("proposal:update", { proposal: proposal() }), anna.id)).toBeNull();
  });
});

describe("news of what is done to a player", () => {
  const soon = { expiresAt: "2030-01-01T00:10:00.000Z" };
  const reported = game({ state: "reported", red: { ...game().red, report: "red" } });
  const told = (change: Parameters<typeof game>[0], playerId = anna.id) =>
    newsOf(event("game:update", { game: game(change) }), playerId);

  test("an offer asks whom it is made to, and nobody else", () => {
    const offered = event("proposal:update", { proposal: proposal({ taker: anna, ...soon }) });
    expect(newsOf(offered, anna.id)).toMatchObject({
      text: "marcus offers you 50.00 to 10.00 USDC: answer within 10 min.",
      asks: true,
      link: { to: "/play" },
    });
    expect(newsOf(offered, marcus.id)).toBeNull();
    const counter = proposal({ taker: anna, parentId: "offer-0", ...soon });
    expect(newsOf(event("proposal:update", { proposal: counter }), anna.id)?.text).toContain("counters with");
  });

  test("a report says until when it can be answered, to the one whom silence would cost the pot", () => {
    expect(told(reported)).toMatchObject({
      text: expect.stringMatching(/^marcus says they won\. Answer by .*\d\d:\d\d or it counts\.$/),
      asks: true,
      link: { params: { id: "game-1" } },
    });
    expect(told(reported, marcus.id)).toBeNull();
  });

  test("a dispute asks both, a decision says who lost what", () => {
    for (const { id } of [marcus, anna])
      expect(told({ state: "disputed" }, id)).toMatchObject({
        text: expect.stringContaining("60.00 USDC stays locked"),
        asks: true,
      });
    const decided = {
      state: "settled",
      outcome: "red",
      deadline: null,
      decision: { by: "olga", reason: "The clip shows it." },
      payouts: [payout({ to: "pool", state: "final" })],
    } as const;
    const change = { ...decided, payouts: [...decided.payouts] };
    expect(told(change)?.text).toBe("olga decided. marcus won. You lost 10.00 USDC.");
    expect(told(change, marcus.id)?.text).toBe("olga decided. Paid: 57.00 USDC to your pool.");
  });

  test("what waits for an answer is offers that still stand and reports not answered yet", () => {
    const lists = {
      proposals: [proposal({ taker: anna, ...soon }), proposal({ ...soon }), proposal({ taker: anna })],
      games: [reported, game(), { ...reported, blue: { ...reported.blue, report: "red" as const } }],
    };
    const now = Date.parse("2030-01-01T00:05:00.000Z");
    expect(waitingFor(anna.id, lists, now)).toEqual({ offers: [lists.proposals[0]], games: [reported] });
    expect(waitingFor(marcus.id, lists, now)).toEqual({ offers: [], games: [] });
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
  expect([0, 60, 90, 1_800, 7_200, 86_400, 604_800].map(length)).toEqual([
    "0 s",
    "1 min",
    "90 s",
    "30 min",
    "2 h",
    "1 day",
    "7 days",
  ]);
});

test("a closed wallet request is told from a broken one, however deep it is wrapped", () => {
  const closed = new Error("wrapped", { cause: new Error("deeper", { cause: { code: 4001 } }) });
  expect(isClosedByUser(closed)).toBe(true);
  expect(walletProblem(closed)).toBe("You closed the request. Nothing happened.");
  expect(isClosedByUser(new Error("the wallet is locked"))).toBe(false);
});

test("what a token or a node refuses is one sentence, never the raw text of it", () => {
  const reverted = new Error("execution reverted: custom error 0xe450d38c: 000000", {
    cause: new Error("deeper"),
  });
  expect(walletProblem(reverted)).toBe("Your wallet doesn't hold that much.");
  const wrapped = Object.assign(new Error("failed", { cause: new Error("insufficient funds for gas") }), {
    shortMessage: "The request failed.",
  });
  expect(walletProblem(wrapped)).toBe("Your wallet has too little ETH on Base to pay the gas.");
  expect(walletProblem(new Error("the wallet is locked"))).toBe("the wallet is locked");
});

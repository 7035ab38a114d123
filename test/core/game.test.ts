import { describe, expect, test } from "vitest";
import {
  deadlineOf,
  decideGame,
  defaultGameClocks,
  type GameCommand,
  type GameState,
  type GameStatus,
  startGame,
} from "../../engine/core/game.ts";
import type { Outcome } from "../../engine/core/settlement.ts";
import {
  ada,
  ben,
  disputedGame,
  hourMs,
  minuteMs,
  nowMs,
  operator,
  reportedGame,
  rita,
  sampleGame,
  sampleProposal,
  stranger,
} from "./sample.ts";

const outcomes: Outcome[] = ["red", "blue", "draw", "no_contest"];
const decided = (by = operator, role: "referee" | "operator" = "operator", outcome: Outcome = "red") =>
  ({ type: "decide", by, role, outcome, reason: "The clip shows it.", byHasMoneyInIt: false }) as const;
const undone = (by = operator) =>
  ({ type: "undo", by, reason: "Wrong game.", byHasMoneyInIt: false }) as const;

const changed = (state: GameState, command: GameCommand, atMs = nowMs) => {
  const decision = decideGame(state, command, atMs);
  if (!decision.ok) throw new Error(decision.rejection.code);
  return decision;
};
const verdict = (state: GameState, command: GameCommand, atMs = nowMs) => {
  const decision = decideGame(state, command, atMs);
  return decision.ok ? `ok: ${decision.state.status}` : decision.rejection.code;
};

/** A game in each state, reached by the commands that lead there. */
const inState = (status: GameStatus, refereeId: string | null = null): GameState => {
  switch (status) {
    case "playing":
      return sampleGame({ refereeId });
    case "reported":
      return reportedGame([["red", "red"]], { refereeId });
    case "disputed":
      return disputedGame({ refereeId });
    case "settled": {
      const reported = reportedGame([["red", "red"]], { refereeId });
      return changed(reported, { type: "deadline" }, deadlineOf(reported) ?? 0).state;
    }
    case "refunded": {
      const playing = sampleGame({ refereeId });
      return changed(playing, { type: "deadline" }, deadlineOf(playing) ?? 0).state;
    }
  }
};
const statuses: GameStatus[] = ["playing", "reported", "disputed", "settled", "refunded"];
const actors = { red: ada, blue: ben, referee: rita, stranger };
type Actor = keyof typeof actors;

const commands = {
  reportRed: (by: string) => ({ type: "report", by, outcome: "red" }),
  reportBlue: (by: string) => ({ type: "report", by, outcome: "blue" }),
  reportDraw: (by: string) => ({ type: "report", by, outcome: "draw" }),
  evidence: (by: string) => ({ type: "evidence", by, text: "See the clip." }),
  decideAsReferee: (by: string) => decided(by, "referee"),
  decideAsOperator: (by: string) => decided(by, "operator"),
  undo: (by: string) => undone(by),
  deadline: () => ({ type: "deadline" }),
} satisfies Record<string, (by: string) => GameCommand>;
type Name = keyof typeof commands;

/** Who may do what, in words of its own, independent of the code; `out` is whether the clock of the state has run out. */
function expected(status: GameStatus, name: Name, actor: Actor, hasReferee: boolean, out: boolean): string {
  const plays = actor === "red" || actor === "blue";
  const isOver = status === "settled" || status === "refunded";
  if (name === "deadline") {
    if (isOver) return "game_not_open";
    if (!out) return "deadline_not_reached";
    return status === "reported" ? "ok: settled" : "ok: refunded";
  }
  if (name === "decideAsReferee" || name === "decideAsOperator") {
    if (name === "decideAsReferee" && !(hasReferee && actor === "referee")) return "not_allowed";
    if (plays) return "money_in_it";
    if (name === "decideAsOperator" && hasReferee && !isOver) return "not_allowed";
    if (name === "decideAsOperator" && hasReferee && isOver) return "game_not_disputed";
    return status === "disputed" && !out ? "ok: settled" : "game_not_disputed";
  }
  if (name === "undo") {
    if (plays) return "money_in_it";
    return status === "settled" && !out ? "ok: disputed" : "undo_window_closed";
  }
  if (!plays) return "not_allowed";
  if (name === "evidence") {
    return !out && (status === "reported" || status === "disputed") ? `ok: ${status}` : "evidence_closed";
  }
  if (isOver || out) return "game_not_open";
  if (status === "playing") return "ok: reported";
  // Red has said red; in a dispute blue has said blue.
  if (status === "reported") {
    if (actor === "red") return "already_reported";
    return name === "reportRed" ? "ok: settled" : "ok: disputed";
  }
  const concedes = actor === "red" ? name === "reportBlue" : name === "reportRed";
  return concedes ? "ok: settled" : "already_reported";
}

describe.each(statuses)("while a game is %s", (status) => {
  describe.each(Object.keys(commands) as Name[])("%s", (name) => {
    test.each(Object.keys(actors) as Actor[])(
      "by %s does what the rules say, with or without a referee",
      (actor) => {
        for (const hasReferee of [true, false]) {
          const state = inState(status, hasReferee ? rita : null);
          const dueAtMs = deadlineOf(state) ?? state.undoUntilMs ?? state.settledAtMs ?? 0;
          for (const [out, atMs] of [
            [false, dueAtMs - 1],
            [true, dueAtMs],
            [true, dueAtMs + hourMs],
          ] as const) {
            expect(
              verdict(state, commands[name](actors[actor]), atMs),
              `referee: ${hasReferee}, clock out: ${out}`,
            ).toBe(expected(status, name, actor, hasReferee, out));
          }
        }
      },
    );
  });
});

describe("a game starts", () => {
  const seats = {
    red: { winningsTo: "pool", payoutAddress: null },
    blue: { winningsTo: "wallet", payoutAddress: `0x${"cd".repeat(20)}` },
  } as const;
  const start = (change = {}) =>
    startGame({
      gameId: "g",
      proposal: sampleProposal({ status: "accepted", refereeId: rita, ...change }),
      seats,
      clocks: { resultGraceMs: hourMs, reportWindowMs: 1, disputeWindowMs: 2, undoWindowMs: 3 },
      nowMs,
    });

  test("from an accepted offer, with its stakes, its rake, its referee and clocks of its own", () => {
    expect(start()).toEqual({
      id: "g",
      status: "playing",
      red: { playerId: ada, stake: 50_000_000n, ...seats.red },
      blue: { playerId: ben, stake: 10_000_000n, ...seats.blue },
      token: sampleProposal().token,
      rakeBps: 500,
      refereeId: rita,
      startedAtMs: nowMs,
      expectedEndAtMs: nowMs + hourMs,
      resultDueAtMs: nowMs + 2 * hourMs,
      reportWindowMs: 1,
      disputeWindowMs: 2,
      undoWindowMs: 3,
      reports: { red: null, blue: null },
      evidenceCounts: { red: 0, blue: 0 },
      reportDueAtMs: null,
      disputeDueAtMs: null,
      settledAtMs: null,
      undoUntilMs: null,
      settlementNumber: 0,
      settlement: null,
    });
  });

  test("from nothing else", () => {
    expect(() => start({ status: "pending" })).toThrow("accepted");
    expect(() => start({ takerId: null })).toThrow("accepted");
    expect(() => decideGame(sampleGame(), { type: "deadline" }, 0.5)).toThrow("time");
    const options = { gameId: "g", proposal: sampleProposal({ status: "accepted" }), seats } as const;
    expect(() => startGame({ ...options, clocks: defaultGameClocks, nowMs: Number.NaN })).toThrow("time");
  });
});

describe("the clocks that everybody is told", () => {
  test("nobody reports: everybody's stake goes back two hours after the expected end", () => {
    const game = sampleGame();
    expect(deadlineOf(game)).toBe(game.expectedEndAtMs + 2 * hourMs);
    const refunded = changed(game, { type: "deadline" }, deadlineOf(game) ?? 0);
    expect(refunded.transfers.map(({ reason, amount }) => [reason, amount])).toEqual([
      ["stake_returned", 50_000_000n],
      ["stake_returned", 10_000_000n],
    ]);
    expect(refunded.state).toMatchObject({ status: "refunded", undoUntilMs: null, settlementNumber: 1 });
    expect(refunded.state.settlement?.decidedBy).toBe("nobody_reported");
    expect(refunded.events.map(({ type }) => type)).toEqual(["refunded"]);
    expect(deadlineOf(refunded.state)).toBeNull();
  });

  test("one reports after the end: the other has thirty minutes, then the report is the result", () => {
    const lateMs = nowMs + 90 * minuteMs;
    const reported = changed(sampleGame(), { type: "report", by: ben, outcome: "blue" }, lateMs).state;
    expect(deadlineOf(reported)).toBe(lateMs + 30 * minuteMs);
    const settled = changed(reported, { type: "deadline" }, lateMs + 30 * minuteMs);
    expect(settled.state.settlement).toMatchObject({
      ruleVersion: 1,
      decidedBy: "clock",
      inputs: { outcome: "blue" },
      outputs: { payouts: { red: 0n, blue: 57_000_000n }, rake: 3_000_000n },
    });
    expect(settled.state.undoUntilMs).toBe(lateMs + 31 * minuteMs);
  });

  test("a win that is claimed before the game could be over waits for its end first", () => {
    const reported = reportedGame([["red", "red"]]);
    expect(deadlineOf(reported)).toBe(reported.expectedEndAtMs + 30 * minuteMs);
  });

  test("a dispute that nobody decides gives everybody's stake back after a day", () => {
    const disputed = disputedGame();
    expect(deadlineOf(disputed)).toBe(nowMs + 24 * hourMs);
    const refunded = changed(disputed, { type: "deadline" }, nowMs + 24 * hourMs).state;
    expect(refunded.settlement).toMatchObject({
      decidedBy: "dispute_clock",
      inputs: { outcome: "no_contest" },
    });
  });

  test("a state without its clock is a broken promise", () => {
    expect(() => deadlineOf({ ...disputedGame(), disputeDueAtMs: null })).toThrow("clock");
    expect(() => deadlineOf({ ...reportedGame([["red", "red"]]), reportDueAtMs: null })).toThrow("clock");
    const nobody = { ...reportedGame([["red", "red"]]), reports: { red: null, blue: null } };
    expect(() => decideGame(nobody, { type: "deadline" }, nowMs + 24 * hourMs)).toThrow("somebody");
  });
});

describe("two reports", () => {
  test.each(outcomes)("that agree on %s settle at once, with nothing to undo", (outcome) => {
    const reported = reportedGame([["blue", outcome]]);
    const settled = changed(reported, { type: "report", by: ada, outcome });
    expect(settled.state).toMatchObject({
      status: "settled",
      settledAtMs: nowMs,
      undoUntilMs: nowMs,
      reportDueAtMs: null,
    });
    expect(settled.state.settlement).toMatchObject({ decidedBy: "agreement", inputs: { outcome } });
    expect(settled.events.map(({ type }) => type)).toEqual(["reported", "settled"]);
    expect(verdict(settled.state, undone())).toBe("undo_window_closed");
  });

  test.each(
    outcomes.flatMap((mine) => outcomes.filter((theirs) => theirs !== mine).map((theirs) => [mine, theirs])),
  )("that differ, %s and %s, lock the money until it is decided", (mine, theirs) => {
    const disputed = changed(reportedGame([["red", mine]] as never), {
      type: "report",
      by: ben,
      outcome: theirs as Outcome,
    });
    expect(disputed.state).toMatchObject({ status: "disputed", reportDueAtMs: null });
    expect(disputed.transfers).toEqual([]);
    expect(disputed.events.map(({ type }) => type)).toEqual(["reported", "disputed"]);
  });

  test("in dispute can still be made equal: whoever agrees with the other concedes", () => {
    const settled = changed(disputedGame(), { type: "report", by: ada, outcome: "blue" }).state;
    expect(settled.settlement).toMatchObject({ decidedBy: "agreement", inputs: { outcome: "blue" } });
    expect(settled.disputeDueAtMs).toBeNull();
  });
});

describe("evidence", () => {
  test("is kept in its order, counted by side, with its lines", () => {
    const first = changed(disputedGame(), {
      type: "evidence",
      by: ben,
      text: " Clip:\nhttps://example.org ",
    });
    expect(first.events).toEqual([
      { type: "evidence_added", gameId: "g", side: "blue", text: "Clip:\nhttps://example.org" },
    ]);
    expect(first.state.evidenceCounts).toEqual({ red: 0, blue: 1 });
    expect(first.transfers).toEqual([]);
  });

  test("ends at twenty pieces a side, without taking the other's", () => {
    const full = disputedGame({ evidenceCounts: { red: 20, blue: 19 } });
    expect(verdict(full, { type: "evidence", by: ada, text: "One more" })).toBe("evidence_limit");
    expect(verdict(full, { type: "evidence", by: ben, text: "One more" })).toBe("ok: disputed");
  });

  test.each([["  "], ["x".repeat(2_001)], ["a\u202eb"]])("that can't be read is refused (%#)", (text) => {
    expect(verdict(disputedGame(), { type: "evidence", by: ada, text })).toBe("evidence_invalid");
  });

  test("of two thousand characters is taken", () => {
    expect(verdict(disputedGame(), { type: "evidence", by: ada, text: "x".repeat(2_000) })).toBe(
      "ok: disputed",
    );
  });
});

describe("a decision", () => {
  test.each(outcomes)("for %s is written down with its reason and can be undone for a minute", (outcome) => {
    const settled = changed(disputedGame(), decided(operator, "operator", outcome));
    expect(settled.state).toMatchObject({
      status: "settled",
      undoUntilMs: nowMs + minuteMs,
      disputeDueAtMs: null,
    });
    expect(settled.state.settlement).toMatchObject({ decidedBy: "operator", inputs: { outcome } });
    expect(settled.events[0]).toEqual({
      type: "decided",
      gameId: "g",
      by: operator,
      role: "operator",
      outcome,
      reason: "The clip shows it.",
    });
  });

  test.each([["  "], ["x".repeat(1_001)], ["a\u202eb"]])("needs a reason that can be read (%#)", (reason) => {
    expect(verdict(disputedGame(), { ...decided(), reason })).toBe("reason_missing");
    expect(verdict(inState("settled"), { ...undone(), reason })).toBe("reason_missing");
  });

  test("isn't for anybody with money in it, operator or referee", () => {
    const withReferee = disputedGame({ refereeId: rita });
    expect(verdict(disputedGame(), { ...decided(), byHasMoneyInIt: true })).toBe("money_in_it");
    expect(verdict(withReferee, { ...decided(rita, "referee"), byHasMoneyInIt: true })).toBe("money_in_it");
    expect(verdict(inState("settled"), { ...undone(), byHasMoneyInIt: true })).toBe("money_in_it");
  });

  test("is the referee's, until the referee's word was undone", () => {
    const byReferee = changed(disputedGame({ refereeId: rita }), decided(rita, "referee")).state;
    expect(byReferee.settlement?.decidedBy).toBe("referee");
    const again = changed(byReferee, undone()).state;
    expect(verdict(again, decided(operator, "operator"))).toBe("ok: settled");
  });
});

describe("an undo", () => {
  const toWallet = { winningsTo: "wallet", payoutAddress: `0x${"cd".repeat(20)}` } as const;
  const game = sampleGame();
  const settled = changed(disputedGame({ red: { ...game.red, ...toWallet } }), decided());

  test("takes every transfer of the settlement back and opens the dispute again with a whole clock", () => {
    const laterMs = nowMs + minuteMs - 1;
    const back = changed(settled.state, undone(), laterMs);
    expect(back.transfers).toEqual(
      settled.transfers.map(({ from, to, token, amount, key }) => ({
        from: to,
        to: from,
        token,
        amount,
        reason: "settlement_undone",
        key: `${key}:undone`,
      })),
    );
    expect(back.state).toMatchObject({
      status: "disputed",
      disputeDueAtMs: laterMs + 24 * hourMs,
      settlement: null,
      settledAtMs: null,
      undoUntilMs: null,
      settlementNumber: 1,
    });
    expect(back.events).toEqual([
      { type: "settlement_undone", gameId: "g", by: operator, reason: "Wrong game." },
      { type: "disputed", gameId: "g", dueAtMs: laterMs + 24 * hourMs },
    ]);
  });

  test("takes the money from where it was sent, whatever the winner's setting is by then", () => {
    const state = { ...settled.state, red: { ...settled.state.red, winningsTo: "pool" } } as const;
    expect(changed(state, undone()).transfers[0]?.from).toEqual({
      kind: "outside",
      address: toWallet.payoutAddress,
    });
  });

  test("lets the game be settled anew, under keys that were never used", () => {
    const back = changed(settled.state, undone());
    const again = changed(back.state, decided(operator, "operator", "draw"));
    const keys = [...settled.transfers, ...back.transfers, ...again.transfers].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("of a lone report lets the other side speak, and agreeing settles it", () => {
    const back = changed(inState("settled"), undone(), (inState("settled").undoUntilMs ?? 0) - 1);
    const atMs = (back.state.disputeDueAtMs ?? 0) - 1;
    expect(verdict(back.state, { type: "report", by: ben, outcome: "red" }, atMs)).toBe("ok: settled");
    const denied = changed(back.state, { type: "report", by: ben, outcome: "blue" }, atMs);
    expect(denied.state).toEqual({ ...back.state, reports: { red: "red", blue: "blue" } });
  });

  test("needs something to undo", () => {
    const nothing = { ...settled.state, settlement: null };
    expect(() => decideGame(nothing, undone(), nowMs)).toThrow("settled somehow");
  });

  test("isn't for ever: the third settlement stands", () => {
    let state = disputedGame();
    for (let number = 1; number < 3; number += 1) {
      state = changed(changed(state, decided()).state, undone()).state;
    }
    expect(verdict(changed(state, decided()).state, undone())).toBe("undo_window_closed");
  });
});

describe("where winnings go", () => {
  const wonBy = (setting: Pick<GameState["red"], "winningsTo" | "payoutAddress">) => {
    const game = sampleGame();
    const reported = reportedGame([["red", "red"]], { red: { ...game.red, ...setting } });
    return changed(reported, { type: "report", by: ben, outcome: "red" }).transfers[0];
  };
  const payoutAddress = `0x${"cd".repeat(20)}`;

  test("to the wallet as a payout, when that is the player's setting", () => {
    expect(wonBy({ winningsTo: "wallet", payoutAddress })).toMatchObject({
      reason: "payout",
      to: { kind: "outside", address: payoutAddress },
    });
  });

  test("to the pool otherwise, and when there is no wallet to pay to", () => {
    const toPool = { reason: "win", to: { kind: "player.available", playerId: ada } };
    expect(wonBy({ winningsTo: "pool", payoutAddress })).toMatchObject(toPool);
    expect(wonBy({ winningsTo: "wallet", payoutAddress: null })).toMatchObject(toPool);
  });

  test("stakes that come back go to the pool, whatever the setting", () => {
    const seat = { ...sampleGame().red, winningsTo: "wallet", payoutAddress } as const;
    const drawn = changed(reportedGame([["red", "draw"]], { red: seat }), {
      type: "report",
      by: ben,
      outcome: "draw",
    });
    expect(drawn.transfers.map(({ to }) => to.kind)).toEqual(["player.available", "player.available"]);
  });
});

test("a game is settled once", () => {
  const twice = { ...disputedGame(), settlement: inState("settled").settlement };
  expect(() => decideGame(twice, decided(), nowMs)).toThrow("settled once");
});

import { decide, undo } from "./game-decision.ts";
import { evidence, report } from "./game-report.ts";
import { refund, settle } from "./game-settling.ts";
import {
  deadlineOf,
  type GameClocks,
  type GameCommand,
  type GameDecision,
  type GameState,
  type SeatSetting,
} from "./game-state.ts";
import { checkTransfer } from "./ledger.ts";
import type { ProposalState } from "./proposal.ts";
import { assert, refused } from "./rejection.ts";
import type { Side } from "./settlement.ts";

export * from "./game-state.ts";

/**
 * The duel that an accepted proposal starts: red is the proposer, blue the taker. The clocks that it starts with stay
 * its own, whatever the configuration says later.
 */
export function startGame({
  gameId,
  proposal,
  seats,
  clocks,
  nowMs,
}: {
  gameId: string;
  proposal: ProposalState;
  seats: Record<Side, SeatSetting>;
  clocks: GameClocks;
  nowMs: number;
}): GameState {
  const { proposerId, takerId, proposerStake, takerStake, token, rakeBps, refereeId } = proposal;
  assert(proposal.status === "accepted" && takerId !== null, "a game starts from an accepted proposal");
  assert(Number.isSafeInteger(nowMs), `a time of ${nowMs}`);
  const { resultGraceMs, ...windows } = clocks;
  const expectedEndAtMs = nowMs + proposal.expectedMinutes * 60_000;
  return {
    id: gameId,
    status: "playing",
    token,
    rakeBps,
    refereeId,
    ...windows,
    red: { playerId: proposerId, stake: proposerStake, ...seats.red },
    blue: { playerId: takerId, stake: takerStake, ...seats.blue },
    startedAtMs: nowMs,
    expectedEndAtMs,
    resultDueAtMs: expectedEndAtMs + resultGraceMs,
    reports: { red: null, blue: null },
    evidenceCounts: { red: 0, blue: 0 },
    reportDueAtMs: null,
    disputeDueAtMs: null,
    settledAtMs: null,
    undoUntilMs: null,
    settlementNumber: 0,
    settlement: null,
  };
}

/**
 * What a command does to a game. Checks come in this order: who asks, whether the game is in a state for it, its clock
 * (`now ≥ deadlineOf` leaves only `deadline`, so that a late worker changes no result), then what is asked.
 */
export function decideGame(state: GameState, command: GameCommand, nowMs: number): GameDecision {
  assert(Number.isSafeInteger(nowMs), `a time of ${nowMs}`);
  const decision = dispatch(state, command, nowMs);
  if (decision.ok) decision.transfers.forEach(checkTransfer);
  return decision;
}

function dispatch(state: GameState, command: GameCommand, nowMs: number): GameDecision {
  switch (command.type) {
    case "report":
      return report(state, command, nowMs);
    case "evidence":
      return evidence(state, command, nowMs);
    case "decide":
      return decide(state, command, nowMs);
    case "deadline":
      return deadline(state, nowMs);
    case "undo":
      return undo(state, command, nowMs);
  }
}

function deadline(state: GameState, nowMs: number): GameDecision {
  const dueAtMs = deadlineOf(state);
  if (dueAtMs === null) return refused("game_not_open", "This game is over.");
  if (nowMs < dueAtMs) return refused("deadline_not_reached", "The clock hasn't run out yet.");
  if (state.status === "playing") return refund(state, "nobody_reported", nowMs);
  if (state.status === "disputed") return refund(state, "dispute_clock", nowMs);
  const outcome = state.reports.red ?? state.reports.blue;
  assert(outcome !== null, `game ${state.id} is reported by somebody`);
  return settle(state, { outcome, decidedBy: "clock", undoWindowMs: state.undoWindowMs, nowMs });
}

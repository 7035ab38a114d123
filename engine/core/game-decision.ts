import { settle } from "./game-settling.ts";
import { deadlineOf, type GameCommandOf, type GameDecision, type GameState, sideOf } from "./game-state.ts";
import { reversalOf } from "./ledger.ts";
import { assert, type Refused, refused } from "./rejection.ts";
import { settlementTransfers } from "./settlement.ts";
import { cleanText } from "./text.ts";

export const reasonChars = 1_000;

/** A game is settled at most this often, undone settlements included: nobody's money is argued over for ever. */
export const mostSettlements = 3;

/**
 * A person ends a dispute, in writing: the referee whom the terms name, else an operator. After an undo an operator may
 * decide in a referee's place, because the referee's word was what was undone. Nobody decides over money of their own.
 */
export function decide(
  state: GameState,
  { by, role, outcome, reason, byHasMoneyInIt }: GameCommandOf<"decide">,
  nowMs: number,
): GameDecision {
  if (role === "referee" && by !== state.refereeId) {
    return refused("not_allowed", "The terms name somebody else as referee, or nobody.");
  }
  if (byHasMoneyInIt || sideOf(state, by) !== null) return moneyInIt();
  if (role === "operator" && state.refereeId !== null && state.settlementNumber === 0) {
    return refused("not_allowed", "The terms name a referee, who decides.");
  }
  const dueAtMs = deadlineOf(state);
  if (state.status !== "disputed" || dueAtMs === null) {
    return refused("game_not_disputed", "This game isn't in dispute.");
  }
  if (nowMs >= dueAtMs) return refused("game_not_disputed", "The time to decide this dispute is over.");
  const written = checkedReason(reason);
  if (!written.ok) return written;
  return settle(state, {
    outcome,
    decidedBy: role,
    undoWindowMs: state.undoWindowMs,
    nowMs,
    before: [{ type: "decided", gameId: state.id, by, role, outcome, reason: written.text }],
  });
}

/**
 * An operator takes a settlement back within its undo window. Every transfer of it is reversed and the game is in
 * dispute again, with a whole new clock. Money that the winner has spent by then makes the booking fail, and so the undo.
 */
export function undo(
  state: GameState,
  { by, reason, byHasMoneyInIt }: GameCommandOf<"undo">,
  nowMs: number,
): GameDecision {
  if (byHasMoneyInIt || sideOf(state, by) !== null) return moneyInIt();
  const { settlement, undoUntilMs } = state;
  // Only a settled game has an undo window.
  if (undoUntilMs === null || nowMs >= undoUntilMs) {
    return refused("undo_window_closed", "There is nothing to undo, or it is too late.");
  }
  assert(settlement !== null, `game ${state.id} is settled somehow`);
  if (state.settlementNumber >= mostSettlements) {
    return refused("undo_window_closed", `A game is settled at most ${mostSettlements} times.`);
  }
  const written = checkedReason(reason);
  if (!written.ok) return written;
  const disputeDueAtMs = nowMs + state.disputeWindowMs;
  return {
    ok: true,
    state: {
      ...state,
      status: "disputed",
      disputeDueAtMs,
      settledAtMs: null,
      undoUntilMs: null,
      settlement: null,
    },
    events: [
      { type: "settlement_undone", gameId: state.id, by, reason: written.text },
      { type: "disputed", gameId: state.id, dueAtMs: disputeDueAtMs },
    ],
    transfers: settlementTransfers({
      gameId: state.id,
      token: state.token,
      settlement,
      number: state.settlementNumber,
    }).map((transfer) => reversalOf(transfer, "settlement_undone")),
  };
}

function checkedReason(reason: string): { ok: true; text: string } | Refused<"reason_missing"> {
  const clean = cleanText({ text: reason, maxChars: reasonChars, lines: true });
  if (clean.ok) return clean;
  return refused(
    "reason_missing",
    `Give a reason, in 1 to ${reasonChars} characters that can be seen.`,
    "reason",
  );
}

function moneyInIt(): Refused<"money_in_it"> {
  return refused("money_in_it", "You have money in this game.");
}

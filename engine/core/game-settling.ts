import type { GameChange, GameEvent, GameSeat, GameState } from "./game-state.ts";
import type { AccountRef } from "./ledger.ts";
import { assert } from "./rejection.ts";
import {
  type DecidedBy,
  type Outcome,
  type Settlement,
  settleDuel,
  settlementTransfers,
} from "./settlement.ts";

/**
 * Turns a result into money: it is booked at once, payouts to outside wallets leave the house after the undo window.
 *
 * @param before what happened just before, and led to it
 */
export function settle(
  state: GameState,
  {
    outcome,
    decidedBy,
    undoWindowMs,
    nowMs,
    before = [],
  }: { outcome: Outcome; decidedBy: DecidedBy; undoWindowMs: number; nowMs: number; before?: GameEvent[] },
): GameChange {
  const undoUntilMs = nowMs + undoWindowMs;
  const { settlement, transfers, closed } = close(state, outcome, decidedBy, nowMs);
  return {
    ok: true,
    state: { ...closed, status: "settled", undoUntilMs },
    events: [...before, { type: "settled", gameId: state.id, settlement, undoUntilMs }],
    transfers,
  };
}

/** A clock ran out over nothing: everybody's stake goes back, no rake, and there is nothing to undo. */
export function refund(
  state: GameState,
  decidedBy: "nobody_reported" | "dispute_clock",
  nowMs: number,
): GameChange {
  const { settlement, transfers, closed } = close(state, "no_contest", decidedBy, nowMs);
  return {
    ok: true,
    state: { ...closed, status: "refunded" },
    events: [{ type: "refunded", gameId: state.id, settlement }],
    transfers,
  };
}

function close(
  state: GameState,
  outcome: Outcome,
  decidedBy: DecidedBy,
  nowMs: number,
): { settlement: Settlement; transfers: GameChange["transfers"]; closed: GameState } {
  assert(state.settlement === null, `game ${state.id} is settled once`);
  const inputs = {
    stakes: { red: state.red.stake, blue: state.blue.stake },
    outcome,
    rakeBps: state.rakeBps,
  };
  const settlement: Settlement = {
    ruleVersion: 1,
    inputs,
    outputs: settleDuel(inputs),
    decidedBy,
    paidTo: {
      red: payoutAccount(state.red, outcome === "red"),
      blue: payoutAccount(state.blue, outcome === "blue"),
    },
  };
  const settlementNumber = state.settlementNumber + 1;
  return {
    settlement,
    transfers: settlementTransfers({
      gameId: state.id,
      token: state.token,
      settlement,
      number: settlementNumber,
    }),
    closed: {
      ...state,
      reportDueAtMs: null,
      disputeDueAtMs: null,
      settledAtMs: nowMs,
      settlementNumber,
      settlement,
    },
  };
}

/** Winnings go where the player wants them; a stake that comes back goes to the pool. */
function payoutAccount({ playerId, winningsTo, payoutAddress }: GameSeat, hasWon: boolean): AccountRef {
  return hasWon && winningsTo === "wallet" && payoutAddress !== null
    ? { kind: "outside", address: payoutAddress }
    : { kind: "player.available", playerId };
}

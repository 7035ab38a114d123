import type { PlannedTransfer } from "./ledger.ts";
import { assert, type Refused } from "./rejection.ts";
import type { Outcome, Settlement, Side } from "./settlement.ts";

export type GameStatus = "playing" | "reported" | "disputed" | "settled" | "refunded";

export interface GameSeat {
  playerId: string;
  /** Base units, in the game's escrow. */
  stake: bigint;
  winningsTo: "pool" | "wallet";
  /** The verified wallet for `winningsTo: "wallet"`, lower case. Without one, winnings go to the pool. */
  payoutAddress: string | null;
}

/** A duel. All times are milliseconds since 1970; a clock that has run out (`now ≥ due`) leaves only `deadline`. */
export interface GameState {
  id: string;
  status: GameStatus;
  red: GameSeat;
  blue: GameSeat;
  token: string;
  rakeBps: number;
  refereeId: string | null;
  startedAtMs: number;
  expectedEndAtMs: number;
  /** Nobody has reported by then: everybody's stake goes back. */
  resultDueAtMs: number;
  reportWindowMs: number;
  disputeWindowMs: number;
  undoWindowMs: number;
  reports: { red: Outcome | null; blue: Outcome | null };
  evidenceCounts: Record<Side, number>;
  /** While reported: when the one report becomes the result. */
  reportDueAtMs: number | null;
  /** While disputed: when everybody's stake goes back for want of a decision. */
  disputeDueAtMs: number | null;
  settledAtMs: number | null;
  /** Payouts to outside wallets wait until then, and until then an operator may undo the settlement. */
  undoUntilMs: number | null;
  /** How many settlements there have been, undone ones included. Keeps the business keys of the transfers unique. */
  settlementNumber: number;
  settlement: Settlement | null;
}

export type GameCommand =
  | { type: "report"; by: string; outcome: Outcome }
  | { type: "evidence"; by: string; text: string }
  | {
      type: "decide";
      by: string;
      role: "referee" | "operator";
      outcome: Outcome;
      reason: string;
      byHasMoneyInIt: boolean;
    }
  | { type: "deadline" }
  | { type: "undo"; by: string; reason: string; byHasMoneyInIt: boolean };

export type GameEvent =
  | { type: "reported"; gameId: string; side: Side; outcome: Outcome }
  | { type: "disputed"; gameId: string; dueAtMs: number }
  | { type: "evidence_added"; gameId: string; side: Side; text: string }
  | {
      type: "decided";
      gameId: string;
      by: string;
      role: "referee" | "operator";
      outcome: Outcome;
      reason: string;
    }
  | { type: "settled"; gameId: string; settlement: Settlement; undoUntilMs: number }
  | { type: "refunded"; gameId: string; settlement: Settlement }
  | { type: "settlement_undone"; gameId: string; by: string; reason: string };

export type GameRejectionCode =
  | "game_not_open"
  | "game_not_disputed"
  | "not_allowed"
  | "money_in_it"
  | "already_reported"
  | "evidence_closed"
  | "evidence_limit"
  | "evidence_invalid"
  | "reason_missing"
  | "deadline_not_reached"
  | "undo_window_closed";

export interface GameChange {
  ok: true;
  state: GameState;
  events: GameEvent[];
  transfers: PlannedTransfer[];
}

export type GameDecision = GameChange | Refused<GameRejectionCode>;

/** One command of the union, by its name. */
export type GameCommandOf<Type extends GameCommand["type"]> = Extract<GameCommand, { type: Type }>;

export interface GameClocks {
  /** From the expected end until an unreported game is refunded. */
  resultGraceMs: number;
  reportWindowMs: number;
  disputeWindowMs: number;
  undoWindowMs: number;
}

export const defaultGameClocks: Readonly<GameClocks> = {
  resultGraceMs: 2 * 3_600_000,
  reportWindowMs: 30 * 60_000,
  disputeWindowMs: 24 * 3_600_000,
  undoWindowMs: 60_000,
};

export type SeatSetting = Pick<GameSeat, "winningsTo" | "payoutAddress">;

/**
 * When `deadline` becomes due, and what it does: nobody reported, or nobody decided a dispute → every stake goes back;
 * one side reported → that report is the result. Null for a game that is over.
 */
export function deadlineOf(state: GameState): number | null {
  switch (state.status) {
    case "playing":
      return state.resultDueAtMs;
    case "reported":
      return due(state, state.reportDueAtMs);
    case "disputed":
      return due(state, state.disputeDueAtMs);
    case "settled":
    case "refunded":
      return null;
  }
}

/** The corner a player sits in, or null. */
export function sideOf({ red, blue }: GameState, playerId: string): Side | null {
  if (playerId === red.playerId) return "red";
  return playerId === blue.playerId ? "blue" : null;
}

function due(state: GameState, dueAtMs: number | null): number {
  assert(dueAtMs !== null, `game ${state.id} is ${state.status} with a clock`);
  return dueAtMs;
}

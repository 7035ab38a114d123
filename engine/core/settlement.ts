import type { AccountRef } from "./ledger.ts";

export type Side = "red" | "blue";

/** A result: one side won, nobody did, or the game doesn't count. The last two give the stakes back. */
export type Outcome = Side | "draw" | "no_contest";

/** Numbers the formula; a changed formula gets the next number, and the old one stays computable for ever. */
export type RuleVersion = 1;

export interface DuelInputs {
  stakes: Record<Side, bigint>;
  outcome: Outcome;
  rakeBps: number;
}

/** Σ payouts + rake + dust = Σ stakes. A side's payout includes its own stake. */
export interface DuelOutputs {
  payouts: Record<Side, bigint>;
  rake: bigint;
  dust: bigint;
}

/** Both players, the clock over a lone report, a clock over nothing, or the person who decided. */
export type DecidedBy = "agreement" | "clock" | "nobody_reported" | "dispute_clock" | "referee" | "operator";

/** The recomputable record of a result: `recomputeSettlement(settlement)` gives the same outputs to anyone. */
export interface Settlement {
  ruleVersion: RuleVersion;
  inputs: DuelInputs;
  outputs: DuelOutputs;
  decidedBy: DecidedBy;
  /** Where each side's payout goes, so that an undo takes it from there whatever the settings are by then. */
  paidTo: Record<Side, AccountRef>;
}

/** How a game is stored, and how its rows become the state that core decides on. */
import { z } from "zod";
import type { GameState } from "../core/game.ts";
import type { Settlement } from "../core/settlement.ts";
import { big, count, id, moment } from "./decode.ts";

const outcome = z.enum(["red", "blue", "draw", "no_contest"]);
const units = z
  .string()
  .regex(/^[0-9]+$/)
  .transform(BigInt);
const account = z.union([
  z.strictObject({ kind: z.literal("player.available"), playerId: id }),
  z.strictObject({ kind: z.literal("outside"), address: z.string() }),
]);

/** What a settlement followed from, as stored and as published. */
export const settlementInputs = z.strictObject({
  red: z.strictObject({ playerId: id, stake: units }),
  blue: z.strictObject({ playerId: id, stake: units }),
  outcome,
  rakeBps: z.int(),
  token: z.string(),
});
/** What followed, and where each side's part went: an undo takes it from there. */
export const settlementOutputs = z.strictObject({
  red: units,
  blue: units,
  rake: units,
  dust: units,
  paidTo: z.strictObject({ red: account, blue: account }),
});

export const gameRow = z.object({
  id: z.string(),
  proposal_id: z.string(),
  token: z.string(),
  red_player_id: id,
  blue_player_id: id,
  red_stake: big,
  blue_stake: big,
  terms: z.string(),
  referee_id: id.nullable(),
  rake_bps: count,
  state: z.enum(["playing", "reported", "disputed", "settled", "refunded"]),
  started_at: moment,
  expected_end_at: moment,
  result_due_at: moment,
  report_window_ms: count,
  dispute_window_ms: count,
  undo_window_ms: count,
  red_report: outcome.nullable(),
  red_reported_at: moment.nullable(),
  blue_report: outcome.nullable(),
  blue_reported_at: moment.nullable(),
  report_due_at: moment.nullable(),
  dispute_due_at: moment.nullable(),
  disputed_at: moment.nullable(),
  settled_at: moment.nullable(),
  undo_until: moment.nullable(),
  settlement_number: count,
  covered_at_block: big,
});
export const gameColumns = Object.keys(gameRow.shape)
  .map((name) => `game.${name}`)
  .join(", ");

const winningsTo = z.enum(["pool", "wallet"]);
/** A game with everything that deciding on it and showing it takes. */
export const gameRecordRow = gameRow.extend({
  red_handle: z.string(),
  blue_handle: z.string(),
  referee_handle: z.string().nullable(),
  red_winnings_to: winningsTo,
  blue_winnings_to: winningsTo,
  red_wallet: z.string().nullable(),
  blue_wallet: z.string().nullable(),
  red_evidence: count,
  blue_evidence: count,
  escrow_address: z.string(),
  fund_state: z.string().nullable(),
  fund_hash: z.string().nullable(),
  rule_version: z.literal(1).nullable(),
  inputs: settlementInputs.nullable(),
  outputs: settlementOutputs.nullable(),
  decided_by: z
    .enum(["agreement", "clock", "nobody_reported", "dispute_clock", "referee", "operator"])
    .nullable(),
  decider_handle: z.string().nullable(),
  decision_reason: z.string().nullable(),
});
type RecordRow = z.output<typeof gameRecordRow>;

/** A game's state, and what is shown beside it. */
export interface GameRecord {
  state: GameState;
  proposalId: string;
  terms: string;
  handles: { red: string; blue: string; referee: string | null };
  reportedAt: { red: Date | null; blue: Date | null };
  disputedAt: Date | null;
  escrow: { address: string; fundState: string | null; fundHash: string | null };
  decision: { by: string; reason: string } | null;
  /** The block that must be final before what is won here may leave the house. */
  coveredAtBlock: bigint;
}

export function recordOf(row: RecordRow): GameRecord {
  const { decider_handle: by, decision_reason: reason } = row;
  return {
    state: stateOf(row),
    proposalId: row.proposal_id,
    terms: row.terms,
    handles: { red: row.red_handle, blue: row.blue_handle, referee: row.referee_handle },
    reportedAt: { red: row.red_reported_at, blue: row.blue_reported_at },
    disputedAt: row.disputed_at,
    escrow: { address: row.escrow_address, fundState: row.fund_state, fundHash: row.fund_hash },
    decision: by === null || reason === null ? null : { by, reason },
    coveredAtBlock: row.covered_at_block,
  };
}

function stateOf(row: RecordRow): GameState {
  return {
    id: row.id,
    status: row.state,
    red: {
      playerId: row.red_player_id,
      stake: row.red_stake,
      winningsTo: row.red_winnings_to,
      payoutAddress: row.red_wallet,
    },
    blue: {
      playerId: row.blue_player_id,
      stake: row.blue_stake,
      winningsTo: row.blue_winnings_to,
      payoutAddress: row.blue_wallet,
    },
    token: row.token,
    rakeBps: row.rake_bps,
    refereeId: row.referee_id,
    startedAtMs: row.started_at.getTime(),
    expectedEndAtMs: row.expected_end_at.getTime(),
    resultDueAtMs: row.result_due_at.getTime(),
    reportWindowMs: row.report_window_ms,
    disputeWindowMs: row.dispute_window_ms,
    undoWindowMs: row.undo_window_ms,
    reports: { red: row.red_report, blue: row.blue_report },
    evidenceCounts: { red: row.red_evidence, blue: row.blue_evidence },
    reportDueAtMs: row.report_due_at?.getTime() ?? null,
    disputeDueAtMs: row.dispute_due_at?.getTime() ?? null,
    settledAtMs: row.settled_at?.getTime() ?? null,
    undoUntilMs: row.undo_until?.getTime() ?? null,
    settlementNumber: row.settlement_number,
    settlement: settlementOf(row),
  };
}

function settlementOf({ rule_version, inputs, outputs, decided_by }: RecordRow): Settlement | null {
  if (rule_version === null || inputs === null || outputs === null || decided_by === null) return null;
  const { red, blue, rake, dust, paidTo } = outputs;
  return {
    ruleVersion: rule_version,
    inputs: {
      stakes: { red: inputs.red.stake, blue: inputs.blue.stake },
      outcome: inputs.outcome,
      rakeBps: inputs.rakeBps,
    },
    outputs: { payouts: { red, blue }, rake, dust },
    decidedBy: decided_by,
    paidTo,
  };
}

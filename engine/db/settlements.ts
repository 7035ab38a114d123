/** Settlements, the transfers that they are made of, and what they leave resting on blocks that aren't final. */
import { z } from "zod";
import type { DecidedBy, Settlement } from "../core/settlement.ts";
import { big, firstOf, id, moment, rowsOf } from "./decode.ts";
import { settlementInputs, settlementOutputs } from "./game-rows.ts";
import type { Queryable, Tx } from "./pool.ts";

export interface NewSettlement {
  gameId: string;
  token: string;
  players: { red: string; blue: string };
  settlement: Settlement;
  /** Who decided and why, when a person did. */
  decider: { playerId: string; reason: string } | null;
  at: Date;
}

/** Stores how a game was settled. A second one that stands beside it throws 23505. */
export async function insertSettlement(tx: Tx, input: NewSettlement): Promise<void> {
  const { inputs, outputs, paidTo, ruleVersion, decidedBy } = input.settlement;
  const sideOf = (side: "red" | "blue") => ({
    playerId: input.players[side],
    stake: inputs.stakes[side].toString(),
  });
  await tx.query({
    name: "insert_settlement",
    text: `INSERT INTO settlement (game_id, rule_version, inputs, outputs, outcome, decided_by, decided_by_player_id, reason, settled_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [
      input.gameId,
      ruleVersion,
      JSON.stringify({
        red: sideOf("red"),
        blue: sideOf("blue"),
        outcome: inputs.outcome,
        rakeBps: inputs.rakeBps,
        token: input.token,
      }),
      JSON.stringify({
        red: outputs.payouts.red.toString(),
        blue: outputs.payouts.blue.toString(),
        rake: outputs.rake.toString(),
        dust: outputs.dust.toString(),
        paidTo,
      }),
      inputs.outcome,
      decidedBy satisfies DecidedBy,
      input.decider?.playerId ?? null,
      input.decider?.reason ?? null,
      input.at,
    ],
  });
}

/** The standing settlement of a game no longer stands. */
export async function markSettlementUndone(
  tx: Tx,
  input: { gameId: string; by: string; reason: string; at: Date },
): Promise<void> {
  const { rowCount } = await tx.query(
    `UPDATE settlement SET undone_at = $4, undone_by = $2, undo_reason = $3 WHERE game_id = $1 AND undone_at IS NULL`,
    [input.gameId, input.by, input.reason, input.at],
  );
  if (rowCount !== 1) throw new Error(`game ${input.gameId} has no settlement to undo`);
}

/** What was won from money that isn't final yet may be played with, but doesn't leave before `untilBlock` is final. */
export async function exposeWinnings(
  tx: Tx,
  input: { playerId: string; token: string; amount: bigint; untilBlock: bigint; key: string },
): Promise<void> {
  await tx.query({
    name: "expose_winnings",
    text: `INSERT INTO exposure (player_id, token, amount, until_block, business_key) SELECT $1, $2, $3, $4, $5
           WHERE $4 > coalesce((SELECT finalized_number FROM chain_cursor), 0)`,
    values: [input.playerId, input.token, input.amount.toString(), input.untilBlock.toString(), input.key],
  });
}
const payout = z.object({
  id,
  game_id: z.string(),
  side: z.enum(["red", "blue"]),
  amount: big,
  address: z.string().nullable(),
  state: z.string().nullable(),
  hash: z.string().nullable(),
});
export type PayoutRow = z.output<typeof payout>;
/** What the standing settlements of some games gave to each side; `address` is null when it went to a pool, at once or in the end. */
export async function readPayouts(db: Queryable, gameIds: string[]): Promise<PayoutRow[]> {
  const { rows } = await db.query({
    name: "read_payouts",
    text: `SELECT transfer.id, game.id AS game_id, side, transfer.amount,
             CASE WHEN is_outside THEN instruction.destination END AS address,
             CASE WHEN is_outside THEN instruction.state END AS state,
             CASE WHEN is_outside THEN coalesce(chain_tx.mined_hash,
               (SELECT attempt.hash FROM attempt WHERE attempt.chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1)) END AS hash
           FROM game CROSS JOIN (VALUES ('red'), ('blue')) AS sides (side)
           JOIN transfer ON transfer.business_key = 'game:' || game.id || ':settlement:' || game.settlement_number || ':' || side
           JOIN account credit ON credit.id = transfer.credit_account_id
           LEFT JOIN instruction_leg leg ON leg.transfer_id = transfer.id
           LEFT JOIN instruction ON instruction.id = leg.instruction_id
           LEFT JOIN instruction_tx chain_tx ON chain_tx.instruction_id = instruction.id AND chain_tx.state <> 'reverted'
           CROSS JOIN LATERAL (SELECT credit.kind = 'outside' AND instruction.state <> 'cancelled' AS is_outside) AS went
           WHERE game.id = ANY ($1::uuid[]) AND game.state IN ('settled', 'refunded') ORDER BY transfer.id`,
    values: [gameIds],
  });
  return rowsOf(payout, rows);
}

const settlement = z.object({
  rule_version: z.number(),
  inputs: settlementInputs,
  outputs: settlementOutputs,
  decided_by: z.enum(["agreement", "clock", "nobody_reported", "dispute_clock", "referee", "operator"]),
  decider_id: id.nullable(),
  decider_handle: z.string().nullable(),
  reason: z.string().nullable(),
  settled_at: moment,
  settlement_number: z.number(),
});
/** The settlement of a game that stands; null while there is none. */
export async function readSettlement(db: Queryable, gameId: string) {
  const { rows } = await db.query(
    `SELECT rule_version, inputs, outputs, decided_by, decider.id AS decider_id, decider.handle AS decider_handle, reason,
       settlement.settled_at, settlement_number
     FROM settlement JOIN game ON game.id = game_id LEFT JOIN player decider ON decider.id = decided_by_player_id
     WHERE game_id = $1 AND undone_at IS NULL`,
    [gameId],
  );
  return firstOf(settlement, rows);
}

const booked = z.object({
  id,
  reason: z.string(),
  amount: big,
  hash: z.instanceof(Buffer),
  chain_tx_hash: z.string().nullable(),
});
/** Ledger rows by their keys, in the order in which they were booked. */
export async function readTransfersByKey(db: Queryable, keys: string[]) {
  const { rows } = await db.query(
    `SELECT transfer.id, transfer.reason, transfer.amount, transfer.hash, chain_tx.mined_hash AS chain_tx_hash
     FROM transfer LEFT JOIN instruction_leg leg ON leg.transfer_id = transfer.id
     LEFT JOIN instruction_tx chain_tx ON chain_tx.instruction_id = leg.instruction_id AND chain_tx.state <> 'reverted'
     WHERE business_key = ANY ($1) ORDER BY transfer.id`,
    [keys],
  );
  return rowsOf(booked, rows);
}

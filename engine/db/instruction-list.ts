/** Chain transfers that we owe, for the operator's screen. */
import { z } from "zod";
import { big, count, id, moment, rowsOf } from "./decode.ts";
import { hasTwin } from "./nonces.ts";
import { mayBeMined } from "./payments.ts";
import type { Queryable, Tx } from "./pool.ts";

const states = ["gathering", "queued", "sending", "mined", "final", "parked", "cancelled"] as const;
export const instructionState = z.enum(states);
export type InstructionState = z.output<typeof instructionState>;

const shown = z.object({
  id,
  kind: z.enum(["collect", "fund", "settle", "payout", "withdrawal", "sweep", "refund", "topup", "deploy"]),
  state: instructionState,
  token: z.string().nullable(),
  amount: big,
  source: z.string(),
  destination: z.string(),
  nonce: count.nullable(),
  hash: z.string().nullable(),
  attempts: count,
  game_id: z.string().nullable(),
  note: z.string().nullable(),
  created_at: moment,
});
export type ShownInstruction = z.output<typeof shown>;
const select = `SELECT instruction.id, instruction.kind, instruction.state, token, amount, wallet.address AS source, destination,
    last.nonce, coalesce(last.mined_hash, (SELECT hash FROM attempt WHERE chain_tx_id = last.id ORDER BY number DESC LIMIT 1)) AS hash,
    (SELECT count(*) FROM attempt JOIN chain_tx_instruction paid USING (chain_tx_id) WHERE paid.instruction_id = instruction.id) AS attempts,
    instruction.game_id, note, instruction.created_at
  FROM instruction JOIN wallet ON wallet.id = source_wallet_id
  LEFT JOIN LATERAL (SELECT * FROM instruction_tx WHERE instruction_tx.instruction_id = instruction.id ORDER BY id DESC LIMIT 1) AS last ON true`;

/** Newest first, below an id; all states, or one. */
export async function listInstructions(
  db: Queryable,
  input: { state: InstructionState | null; before: string | null; limit: number },
): Promise<ShownInstruction[]> {
  const { rows } = await db.query(
    `${select} WHERE ($1::text IS NULL OR instruction.state = $1) AND ($2::bigint IS NULL OR instruction.id < $2)
     ORDER BY instruction.id DESC LIMIT $3`,
    [input.state, input.before, input.limit],
  );
  return rowsOf(shown, rows);
}

export async function readInstruction(
  db: Queryable,
  instructionId: string,
): Promise<ShownInstruction | null> {
  const { rows } = await db.query(`${select} WHERE instruction.id = $1`, [instructionId]);
  return rowsOf(shown, rows)[0] ?? null;
}

/** A parked one waits for its turn again. False when it isn't parked, or when a transaction of it may still be mined. */
export async function unpark(tx: Tx, instructionId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE instruction SET state = 'queued', note = NULL, changed_at = now(),
       cause = CASE WHEN ${hasTwin} THEN cause || ':' || instruction.id ELSE cause END
     WHERE id = $1 AND state = 'parked'
       AND NOT ${mayBeMined}`,
    [instructionId],
  );
  return rowCount === 1;
}

/** Parked withdrawals, and what speaks against giving one back. */
import { z } from "zod";
import { big, firstOf, flag, id } from "./decode.ts";
import { mayBeMined } from "./payments.ts";
import type { Queryable, Tx } from "./pool.ts";

const returnable = z.object({
  state: z.string(),
  /** Null for an instruction that is no withdrawal. */
  withdrawal: z
    .object({ id: z.string(), player_id: id, token: z.string(), amount: big, address: z.string() })
    .nullable(),
  /** A transaction of it isn't known to have failed for good. */
  may_be_mined: flag,
  source_frozen: flag,
  in_recovery: flag,
});
export type ReturnableRow = z.output<typeof returnable>;

export async function readReturnable(db: Queryable, instructionId: string): Promise<ReturnableRow | null> {
  const { rows } = await db.query(
    `SELECT instruction.state, frozen_reason IS NOT NULL AS source_frozen,
       CASE WHEN withdrawal.id IS NOT NULL THEN jsonb_build_object('id', withdrawal.id, 'player_id', withdrawal.player_id::text,
         'token', withdrawal.token, 'amount', withdrawal.amount::text, 'address', withdrawal.address) END AS withdrawal,
       ${mayBeMined} AS may_be_mined,
       EXISTS (SELECT FROM recovery WHERE ended_at IS NULL) AS in_recovery
     FROM instruction JOIN wallet ON wallet.id = source_wallet_id LEFT JOIN withdrawal ON instruction_id = instruction.id
     WHERE instruction.id = $1`,
    [instructionId],
  );
  return firstOf(returnable, rows);
}

/** The same, locked: nobody tries it again or gives it back meanwhile. */
export async function lockReturnable(tx: Tx, instructionId: string): Promise<ReturnableRow | null> {
  await tx.query("SELECT 1 FROM instruction WHERE id = $1 FOR UPDATE", [instructionId]);
  return readReturnable(tx, instructionId);
}

/** Parked transfers to people, and what speaks against giving one back. */
import { z } from "zod";
import { big, columnOf, firstOf, flag, id, moment } from "./decode.ts";
import { mayBeMined } from "./payments.ts";
import type { Queryable, Tx } from "./pool.ts";

const owed = z.object({
  reason: z.enum(["withdrawal", "payout", "suspense_refunded"]),
  business_key: z.string(),
  token: z.string(),
  amount: big,
  /** Out of whose account it was to go. */
  player_id: id.nullable(),
  game_id: z.string().nullable(),
  wallet_id: id.nullable(),
});
/** A ledger transfer that an instruction carries out. */
export type OwedRow = z.output<typeof owed>;

const returnable = z.object({
  state: z.string(),
  destination: z.string(),
  /** The player whom it was to reach; null where that is nobody's wallet. */
  player_id: id.nullable(),
  /** Those that go to a person's wallet; none for what moves between our own. */
  owed: z.array(owed),
  /** A transaction of it isn't known to have failed for good. */
  may_be_mined: flag,
  source_frozen: flag,
  in_recovery: flag,
  /** Something of the books doesn't hold. */
  is_breached: flag,
  /** A process does the chain's work, and has looked at its start whether the books are old. */
  is_led: flag,
  not_before: moment,
});
export type ReturnableRow = z.output<typeof returnable>;

export async function readReturnable(db: Queryable, instructionId: string): Promise<ReturnableRow | null> {
  const { rows } = await db.query(
    `SELECT instruction.state, instruction.destination, instruction.player_id, frozen_reason IS NOT NULL AS source_frozen,
       ${mayBeMined} AS may_be_mined, EXISTS (SELECT FROM recovery WHERE ended_at IS NULL) AS in_recovery, not_before,
       EXISTS (SELECT FROM breach WHERE lifted_at IS NULL) AS is_breached,
       EXISTS (SELECT FROM lease WHERE name = 'chain' AND expires_at > now()) AS is_led,
       coalesce((SELECT jsonb_agg(jsonb_build_object('reason', reason, 'business_key', business_key, 'token', transfer.token,
           'amount', transfer.amount::text, 'player_id', debit.player_id::text, 'game_id', debit.game_id, 'wallet_id', debit.wallet_id::text))
         FROM instruction_leg leg JOIN transfer ON transfer.id = transfer_id JOIN account debit ON debit.id = debit_account_id
         WHERE instruction_id = instruction.id AND sign = 1 AND reason IN ('withdrawal', 'payout', 'suspense_refunded')), '[]') AS owed
     FROM instruction JOIN wallet ON wallet.id = source_wallet_id WHERE instruction.id = $1`,
    [instructionId],
  );
  return firstOf(returnable, rows);
}

/** The same, locked: nobody tries it again or gives it back meanwhile. */
export async function lockReturnable(tx: Tx, instructionId: string): Promise<ReturnableRow | null> {
  await tx.query("SELECT 1 FROM instruction WHERE id = $1 FOR UPDATE", [instructionId]);
  return readReturnable(tx, instructionId);
}

/** The instruction of a player's withdrawal. */
export async function findWithdrawal(
  db: Queryable,
  { id: withdrawalId, playerId }: { id: string; playerId: string },
): Promise<string | null> {
  const { rows } = await db.query(
    "SELECT instruction_id AS id FROM withdrawal WHERE id = $1 AND player_id = $2",
    [withdrawalId, playerId],
  );
  return columnOf(id, rows)[0] ?? null;
}

/** The instruction of what a game pays to a player's wallet; the newest, where a settlement was undone. */
export async function findPayout(
  db: Queryable,
  { gameId, playerId }: { gameId: string; playerId: string },
): Promise<string | null> {
  const { rows } = await db.query(
    "SELECT id FROM instruction WHERE game_id = $1 AND player_id = $2 AND kind = 'payout' ORDER BY id DESC LIMIT 1",
    [gameId, playerId],
  );
  return columnOf(id, rows)[0] ?? null;
}

/** Wallets that pay nothing until a person has looked. */
import { z } from "zod";
import { big, columnOf, firstOf, id, rowsOf, text } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const frozen = z.object({
  id,
  address: z.string(),
  purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  frozen_reason: z.string(),
});
export type FrozenWallet = z.output<typeof frozen>;

/** The oldest first. */
export async function readFrozenWallets(db: Queryable, limit: number): Promise<FrozenWallet[]> {
  const { rows } = await db.query(
    "SELECT id, address, purpose, frozen_reason FROM wallet WHERE frozen_reason IS NOT NULL ORDER BY id LIMIT $1",
    [limit],
  );
  return rowsOf(frozen, rows);
}

const suspect = z.object({
  id,
  address: z.string(),
  next_nonce: big,
  frozen_reason: z.string().nullable(),
});
export type SuspectWallet = z.output<typeof suspect>;
const select =
  "SELECT id, address, next_nonce, frozen_reason FROM wallet WHERE id = $1 AND address IS NOT NULL";

export async function readSuspect(db: Queryable, walletId: string): Promise<SuspectWallet | null> {
  return firstOf(suspect, (await db.query(select, [walletId])).rows);
}

/** The same, locked: what freezes it anew comes before or after, with all that it writes. */
export async function lockSuspect(tx: Tx, walletId: string): Promise<SuspectWallet | null> {
  return firstOf(suspect, (await tx.query(`${select} FOR UPDATE`, [walletId])).rows);
}

/** What the books hold against a wallet, a sentence each: transfers that aren't ours, and breaches that name it. */
export async function readSuspicions(
  db: Queryable,
  { id: walletId, address }: { id: string; address: string },
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT amount || ' of ' || token || ' left it in ' || tx_hash || ', which we didn''t send.' AS said FROM chain_log
     WHERE sender_wallet_id = $1 AND canonical AND kind = 'stray'
     UNION ALL
     SELECT 'Breach ' || id || ' stands: ' || detail FROM breach
     WHERE lifted_at IS NULL AND invariant IN ('foreign nonce', 'stray transfer') AND strpos(detail, $2) > 0 LIMIT $3`,
    [walletId, address, limit],
  );
  return columnOf(text, rows);
}

export async function thawWallet(tx: Tx, walletId: string): Promise<void> {
  await tx.query("UPDATE wallet SET frozen_reason = NULL WHERE id = $1", [walletId]);
}

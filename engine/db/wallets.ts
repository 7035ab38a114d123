/** Custody wallets of ours: a row and its derivation index first, the address afterwards. */
import { z } from "zod";
import { big, cellOf, count, firstOf, id, oneOf, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

export type WalletPurpose = "vault" | "gas" | "deposit" | "escrow";
const wallet = z.object({
  id,
  purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  derivation_index: count,
  address: z.string().nullable(),
  player_id: id.nullable(),
  game_id: z.string().nullable(),
  next_nonce: big,
  frozen_reason: z.string().nullable(),
});
export type WalletRow = z.output<typeof wallet>;
const columns = "id, purpose, derivation_index, address, player_id, game_id, next_nonce, frozen_reason";

/** A new row with the next index of its purpose. Waits for others who do the same. */
export async function reserveWallet(tx: Tx, purpose: WalletPurpose): Promise<WalletRow> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.wallet.' || $1))", [purpose]);
  const { rows } = await tx.query(
    `INSERT INTO wallet (purpose, derivation_index)
     SELECT $1, coalesce(max(derivation_index) + 1, 0) FROM wallet WHERE purpose = $1 RETURNING ${columns}`,
    [purpose],
  );
  return oneOf(wallet, rows);
}

/** Sets an address that was derived from a committed row. Setting the same one again changes nothing; another throws. */
export async function setWalletAddress(db: Queryable, input: { id: string; address: string }): Promise<void> {
  const { rowCount } = await db.query(
    "UPDATE wallet SET address = $2 WHERE id = $1 AND (address IS NULL OR address = $2)",
    [input.id, input.address],
  );
  if (rowCount !== 1)
    throw new Error(`wallet ${input.id} has another address already: is this the right seed?`);
}

/** How many wallets of a purpose wait for an owner. */
export async function countSpareWallets(db: Queryable, purpose: "deposit" | "escrow"): Promise<number> {
  const { rows } = await db.query(
    "SELECT count(*) AS spare FROM wallet WHERE purpose = $1 AND player_id IS NULL AND game_id IS NULL AND NOT retired AND address IS NOT NULL",
    [purpose],
  );
  return cellOf(count, rows);
}

/** Rows whose address was never set, because the process died in between. */
export async function readUnaddressedWallets(db: Queryable): Promise<WalletRow[]> {
  const { rows } = await db.query(
    `SELECT ${columns} FROM wallet WHERE address IS NULL ORDER BY id LIMIT 1000`,
  );
  return rowsOf(wallet, rows);
}

const claimed = z.object({ id, address: z.string() });
/** Gives a waiting wallet to its one owner; null when none waits. */
export async function claimSpareWallet(
  tx: Tx,
  owner: { purpose: "deposit"; playerId: string } | { purpose: "escrow"; gameId: string },
): Promise<{ id: string; address: string } | null> {
  const { rows } = await tx.query({
    name: "claim_spare_wallet",
    text: `UPDATE wallet SET player_id = $2, game_id = $3 WHERE id = (
             SELECT id FROM wallet WHERE purpose = $1 AND player_id IS NULL AND game_id IS NULL AND NOT retired AND address IS NOT NULL
             ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING id, address`,
    values: [
      owner.purpose,
      "playerId" in owner ? owner.playerId : null,
      "gameId" in owner ? owner.gameId : null,
    ],
  });
  return firstOf(claimed, rows);
}

export async function readSingleWallet(db: Queryable, purpose: "vault" | "gas"): Promise<WalletRow | null> {
  const { rows } = await db.query(`SELECT ${columns} FROM wallet WHERE purpose = $1`, [purpose]);
  return firstOf(wallet, rows);
}

export async function readDepositWallet(db: Queryable, playerId: string): Promise<WalletRow | null> {
  const { rows } = await db.query(`SELECT ${columns} FROM wallet WHERE player_id = $1`, [playerId]);
  return firstOf(wallet, rows);
}

const addressed = z.object({ id, address: z.string() });
/** Our wallets by id, a page of them; null is before the first. */
export async function readAddressesAfter(db: Queryable, after: string | null, limit: number) {
  const { rows } = await db.query(
    "SELECT id, address FROM wallet WHERE address IS NOT NULL AND id > coalesce($1::bigint, 0) ORDER BY id LIMIT $2",
    [after, limit],
  );
  return rowsOf(addressed, rows);
}

/** Which of these addresses are ours. The cost doesn't grow with the number of wallets. */
export async function findWallets(db: Queryable, addresses: string[]): Promise<Map<string, WalletRow>> {
  const { rows } = await db.query({
    name: "find_wallets",
    text: `SELECT ${columns} FROM wallet WHERE address = ANY ($1::text[])`,
    values: [addresses],
  });
  return new Map(rowsOf(wallet, rows).map((row) => [row.address ?? "", row]));
}

/** It pays nothing any more; the first reason stands. */
export async function freezeWallet(
  tx: Tx,
  { walletId, reason }: { walletId: string; reason: string },
): Promise<void> {
  await tx.query("UPDATE wallet SET frozen_reason = coalesce(frozen_reason, $2) WHERE id = $1", [
    walletId,
    reason,
  ]);
}

/** Players and the wallets that they have proven. Addresses are lower case. */
import { z } from "zod";
import { columnOf, firstOf, id, moment, rowsOf, text } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const player = z.object({
  id,
  handle: z.string(),
  winnings_to: z.enum(["pool", "wallet"]),
  terms_accepted_at: moment.nullable(),
  created_at: moment,
});
export type PlayerRow = z.output<typeof player>;
const columns = "player.id, player.handle, player.winnings_to, player.terms_accepted_at, player.created_at";

/** A new player; null when the handle is taken. */
export async function insertPlayer(tx: Tx, handle: string): Promise<PlayerRow | null> {
  const { rows } = await tx.query(
    `INSERT INTO player (handle) VALUES ($1) ON CONFLICT DO NOTHING RETURNING ${columns}`,
    [handle],
  );
  return firstOf(player, rows);
}

export async function readPlayer(db: Queryable, playerId: string): Promise<PlayerRow | null> {
  const { rows } = await db.query({
    name: "read_player",
    text: `SELECT ${columns} FROM player WHERE id = $1`,
    values: [playerId],
  });
  return firstOf(player, rows);
}

/** Without regard to case. */
export async function readPlayerByHandle(db: Queryable, handle: string): Promise<PlayerRow | null> {
  const { rows } = await db.query({
    name: "read_player_by_handle",
    text: `SELECT ${columns} FROM player WHERE lower(handle) = lower($1)`,
    values: [handle],
  });
  return firstOf(player, rows);
}

/** The player that one of the wallets of this address belongs to. */
export async function readPlayerByAddress(db: Queryable, address: string): Promise<PlayerRow | null> {
  const { rows } = await db.query({
    name: "read_player_by_address",
    text: `SELECT ${columns} FROM player_wallet JOIN player ON player.id = player_id WHERE address = $1`,
    values: [address],
  });
  return firstOf(player, rows);
}

/**
 * Handles that a mistyped one may have meant: those with the same first letter, and the newest. Bounded, so that a
 * wrong handle costs the same however many players there are.
 */
export async function readHandlesNear(db: Queryable, handle: string): Promise<string[]> {
  const { rows } = await db.query({
    name: "read_handles_near",
    text: `(SELECT handle FROM player WHERE lower(handle) >= left(lower($1), 1)
              AND lower(handle) < left(lower($1), 1) || 'zzzz' LIMIT 500)
           UNION (SELECT handle FROM player ORDER BY id DESC LIMIT 200)`,
    values: [handle],
  });
  return columnOf(text, rows);
}

/** Changes what is given. A taken handle throws 23505 on `player_handle_key`. */
export async function updatePlayer(
  tx: Tx,
  playerId: string,
  changes: { handle: string | null; winningsTo: "pool" | "wallet" | null; termsAcceptedAt: Date | null },
): Promise<void> {
  await tx.query(
    `UPDATE player SET handle = coalesce($2, handle), winnings_to = coalesce($3, winnings_to),
       terms_accepted_at = coalesce(terms_accepted_at, $4) WHERE id = $1`,
    [playerId, changes.handle, changes.winningsTo, changes.termsAcceptedAt],
  );
}

const playerWallet = z.object({ address: z.string(), is_primary: z.boolean(), verified_at: moment });
export type PlayerWalletRow = z.output<typeof playerWallet>;

/** A player's verified wallets, the primary one first. */
export async function readPlayerWallets(db: Queryable, playerId: string): Promise<PlayerWalletRow[]> {
  const { rows } = await db.query({
    name: "read_player_wallets",
    text: `SELECT address, is_primary, verified_at FROM player_wallet WHERE player_id = $1
           ORDER BY is_primary DESC, verified_at, address`,
    values: [playerId],
  });
  return rowsOf(playerWallet, rows);
}

/** Writes a proven wallet down; the first one of a player is the primary one. False when somebody has it already. */
export async function insertPlayerWallet(
  tx: Tx,
  wallet: { playerId: string; address: string; verifiedAt: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO player_wallet (address, player_id, verified_at, is_primary)
     SELECT $1, $2, $3, NOT EXISTS (SELECT FROM player_wallet WHERE player_id = $2 AND is_primary)
     ON CONFLICT (address) DO NOTHING`,
    [wallet.address, wallet.playerId, wallet.verifiedAt],
  );
  return rowCount === 1;
}

/** Makes one of a player's wallets the one that winnings and refunds go to. False when it isn't the player's. */
export async function setPrimaryWallet(
  tx: Tx,
  wallet: { playerId: string; address: string },
): Promise<boolean> {
  // One after the other: the index that allows a single primary wallet looks at every row as it is written.
  await tx.query("SELECT FROM player WHERE id = $1 FOR UPDATE", [wallet.playerId]);
  await tx.query("UPDATE player_wallet SET is_primary = false WHERE player_id = $1 AND is_primary", [
    wallet.playerId,
  ]);
  const { rowCount } = await tx.query(
    "UPDATE player_wallet SET is_primary = true WHERE player_id = $1 AND address = $2",
    [wallet.playerId, wallet.address],
  );
  return rowCount === 1;
}

/** Read-only links to a player's live room. A token is never stored, only its SHA-256. */
import { z } from "zod";
import { firstCellOf, firstOf, id, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const linkRow = z.object({ token_hash: z.instanceof(Buffer) });

/**
 * Lets a new link stand in the place of the old one, whose hash it answers. Locks the player, so that two at once don't
 * leave two.
 */
export async function replaceOverlayLink(
  tx: Tx,
  link: { playerId: string; tokenHash: Buffer; createdAt: Date },
): Promise<Buffer | null> {
  await tx.query("SELECT FROM player WHERE id = $1 FOR NO KEY UPDATE", [link.playerId]);
  const { rows } = await tx.query(
    "UPDATE overlay_link SET replaced_at = $2 WHERE player_id = $1 AND replaced_at IS NULL RETURNING token_hash",
    [link.playerId, link.createdAt],
  );
  await tx.query("INSERT INTO overlay_link (token_hash, player_id, created_at) VALUES ($1, $2, $3)", [
    link.tokenHash,
    link.playerId,
    link.createdAt,
  ]);
  return firstOf(linkRow, rows)?.token_hash ?? null;
}

/** Whose standing link this is. */
export async function readOverlayPlayer(db: Queryable, tokenHash: Buffer): Promise<string | null> {
  const { rows } = await db.query(
    "SELECT player_id AS id FROM overlay_link WHERE token_hash = $1 AND replaced_at IS NULL",
    [tokenHash],
  );
  return firstCellOf(id, rows);
}

/** Those of these links that stand. */
export async function readStandingLinks(db: Queryable, tokenHashes: Buffer[]): Promise<Buffer[]> {
  const { rows } = await db.query(
    "SELECT token_hash FROM overlay_link WHERE token_hash = ANY($1) AND replaced_at IS NULL",
    [tokenHashes],
  );
  return rowsOf(linkRow, rows).map(({ token_hash }) => token_hash);
}

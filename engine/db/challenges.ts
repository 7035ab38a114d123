/** Sign-in messages that we issued. Each is consumed at most once; times come from the caller's clock. */
import { cellOf, count, firstCellOf, text } from "./decode.ts";
import type { Queryable } from "./pool.ts";

export async function insertChallenge(
  db: Queryable,
  challenge: {
    nonce: string;
    address: string;
    message: string;
    browserHash: Buffer;
    /** Whom a signature links the wallet to; null signs in. */
    linkPlayerId: string | null;
    createdAt: Date;
    expiresAt: Date;
  },
): Promise<void> {
  await db.query(
    `INSERT INTO sign_in_challenge (nonce, address, message, browser_hash, link_player_id, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      challenge.nonce,
      challenge.address,
      challenge.message,
      challenge.browserHash,
      challenge.linkPlayerId,
      challenge.createdAt,
      challenge.expiresAt,
    ],
  );
}

/** How many messages wait for this browser's answer. */
export async function countOpenChallenges(
  db: Queryable,
  input: { browserHash: Buffer; now: Date },
): Promise<number> {
  const { rows } = await db.query(
    `SELECT count(*) AS open FROM sign_in_challenge
     WHERE browser_hash = $1 AND consumed_at IS NULL AND expires_at > $2`,
    [input.browserHash, input.now],
  );
  return cellOf(count, rows);
}

/**
 * Uses a challenge up, in the one statement that also checks it: the whole message, the browser, what it is
 * for, the clock, and that nobody used it before. Answers the address that it was issued for; null for any mismatch.
 */
export async function consumeChallenge(
  db: Queryable,
  input: { nonce: string; message: string; browserHash: Buffer; linkPlayerId: string | null; now: Date },
): Promise<string | null> {
  const { rows } = await db.query(
    `UPDATE sign_in_challenge SET consumed_at = $4
     WHERE nonce = $1 AND message = $2 AND browser_hash = $3 AND link_player_id IS NOT DISTINCT FROM $5
       AND consumed_at IS NULL AND expires_at > $4
     RETURNING address`,
    [input.nonce, input.message, input.browserHash, input.now, input.linkPlayerId],
  );
  return firstCellOf(text, rows);
}

/** Drops challenges that ran out before `before`; a hundred at most, since it runs beside every new one. */
export async function trimChallenges(db: Queryable, before: Date): Promise<void> {
  await db.query(
    `DELETE FROM sign_in_challenge WHERE nonce IN (
       SELECT nonce FROM sign_in_challenge WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)`,
    [before],
  );
}

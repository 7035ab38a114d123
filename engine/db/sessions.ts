/** Sessions. The id in the cookie is never stored, only its SHA-256. Times come from the caller's clock. */
import { z } from "zod";
import { columnOf, id, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

export async function insertSession(
  tx: Tx,
  session: { idHash: Buffer; playerId: string; address: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await tx.query(
    "INSERT INTO session (id_hash, player_id, data, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
    [
      session.idHash,
      session.playerId,
      JSON.stringify({ address: session.address }),
      session.createdAt,
      session.expiresAt,
    ],
  );
}

const idHash = z.instanceof(Buffer);
const session = z.object({
  id_hash: idHash,
  player_id: id,
  handle: z.string(),
  terms_accepted_at: moment.nullable(),
  operator: z.boolean(),
});
export type SessionRow = z.output<typeof session>;

/** Whom these sessions belong to; those that don't exist or have run out are missing. */
export async function readSessions(
  db: Queryable,
  input: { idHashes: Buffer[]; now: Date; operatorAddresses: string[] },
): Promise<SessionRow[]> {
  const { rows } = await db.query({
    name: "read_sessions",
    text: `SELECT id_hash, player_id, handle, terms_accepted_at,
             EXISTS (SELECT FROM player_wallet WHERE player_wallet.player_id = session.player_id AND address = ANY ($3)) AS operator
           FROM session JOIN player ON player.id = session.player_id
           WHERE id_hash = ANY ($1) AND expires_at > $2`,
    values: [input.idHashes, input.now, input.operatorAddresses],
  });
  return rowsOf(session, rows);
}

/** Ends a session. False when there was none. */
export async function deleteSession(db: Queryable, idHash: Buffer): Promise<boolean> {
  const { rowCount } = await db.query("DELETE FROM session WHERE id_hash = $1", [idHash]);
  return rowCount === 1;
}

/** Which of these sessions still stand. */
export async function readStandingSessions(
  db: Queryable,
  input: { idHashes: Buffer[]; now: Date },
): Promise<Buffer[]> {
  const { rows } = await db.query(
    "SELECT id_hash FROM session WHERE id_hash = ANY ($1) AND expires_at > $2",
    [input.idHashes, input.now],
  );
  return columnOf(idHash, rows);
}

/** Drops sessions that ran out; a hundred at most, since it runs beside every sign-in. */
export async function trimSessions(db: Queryable, now: Date): Promise<void> {
  await db.query(
    `DELETE FROM session WHERE id_hash IN (
       SELECT id_hash FROM session WHERE expires_at <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)`,
    [now],
  );
}

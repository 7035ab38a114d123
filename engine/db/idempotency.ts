import { z } from "zod";
import { firstOf } from "./decode.ts";
import { insertEvents, type OutboxEvent } from "./outbox.ts";
import type { Queryable, Tx } from "./pool.ts";

interface Key {
  playerId: string;
  key: string;
}

/** Takes a key. False when it stands already; waits while another transaction is about to take it. */
export async function claimIdempotencyKey(tx: Tx, input: Key & { requestHash: Buffer }): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "claim_idempotency_key",
    text: "INSERT INTO idempotency_key (player_id, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    values: [input.playerId, input.key, input.requestHash],
  });
  return rowCount === 1;
}

const stored = z.object({ request_hash: z.instanceof(Buffer), body: z.unknown() });
export async function readIdempotencyKey(
  db: Queryable,
  input: Key,
): Promise<{ requestHash: Buffer; body: unknown } | null> {
  const { rows } = await db.query(
    "SELECT request_hash, body FROM idempotency_key WHERE player_id = $1 AND key = $2",
    [input.playerId, input.key],
  );
  const row = firstOf(stored, rows);
  return row === null ? null : { requestHash: row.request_hash, body: row.body };
}

/** Keeps the answer with its effect, and writes the events that tell of it, in one statement. */
export async function storeAnswer(
  tx: Tx,
  input: Key & { body: unknown; events: OutboxEvent[] },
): Promise<void> {
  await tx.query({
    name: "store_answer",
    text: `WITH told AS (${insertEvents})
           UPDATE idempotency_key SET body = $4 WHERE player_id = $2 AND key = $3`,
    values: [JSON.stringify(input.events), input.playerId, input.key, JSON.stringify(input.body)],
  });
}

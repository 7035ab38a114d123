/** The shape of every change: begin, lock, decide, write, commit; a rejection leaves no trace. */
import { createHash } from "node:crypto";
import { type Result, reject } from "../contract/problems.ts";
import { claimIdempotencyKey, readIdempotencyKey, storeAnswer } from "../db/idempotency.ts";
import { writeOutbox } from "../db/outbox.ts";
import { type Tx, transaction } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { stageTellings, takeStaged } from "./outbox.ts";

/**
 * Commits when `work` answers a value, rolls back when it rejects; then tells the relay. What `work` tells of is written
 * in one statement at the end.
 */
export async function change<Value>(
  context: Context,
  work: (tx: Tx) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  return commit(context, async (tx) => {
    const result = await work(tx);
    if (result.ok) await writeOutbox(tx, takeStaged(tx));
    return result;
  });
}

async function commit<Value>(
  context: Context,
  work: (tx: Tx) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const staging = async (tx: Tx): Promise<Result<Value>> => {
    stageTellings(tx);
    return work(tx);
  };
  const result = await transaction(context.pool, staging, { keep: ({ ok }) => ok });
  if (result.ok) context.nudge();
  return result;
}

/** A client's key for one write of money, and what it asks for. */
export interface Idempotency {
  playerId: string;
  key: string;
  /** What the key stands for: route and body; another request under the same key is refused. */
  request: string;
}

/**
 * Like `change`, but at most once per key, for ever: the key, the effect and the answer are one commit. The same
 * request again gets the stored answer, even when the first one's answer was lost; parallel ones wait for the first.
 * A rejection has no effect and isn't stored.
 */
export async function changeOnce<Value>(
  context: Context,
  idempotency: Idempotency,
  work: (tx: Tx) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const requestHash = createHash("sha256").update(idempotency.request).digest();
  return commit(context, async (tx) => {
    if (!(await claimIdempotencyKey(tx, { ...idempotency, requestHash }))) {
      const stored = await readIdempotencyKey(tx, idempotency);
      if (stored === null || !stored.requestHash.equals(requestHash)) return reject("idempotency_key_reused");
      // Stored by this function for the same route, so it has the shape of that route's answer.
      return { ok: true, value: stored.body as Value };
    }
    const result = await work(tx);
    if (result.ok) await storeAnswer(tx, { ...idempotency, body: result.value, events: takeStaged(tx) });
    return result;
  });
}

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
 * in one statement at the end, in one packet with the COMMIT.
 */
export async function change<Value>(
  context: Context,
  work: (tx: Tx) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const keep = ({ ok }: Result<Value>): boolean => ok;
  const result = await transaction(context.pool, staging(work, keep), {
    keep,
    last: (tx, { ok }) => (ok ? [writeOutbox(tx, takeStaged(tx))] : []),
  });
  if (result.ok) context.nudge();
  return result;
}

/** Collects what `work` tells; nothing stays behind on the connection when it isn't kept. */
const staging =
  <Value>(work: (tx: Tx) => Promise<Value>, keep: (value: Value) => boolean) =>
  async (tx: Tx): Promise<Value> => {
    stageTellings(tx);
    let isKept = false;
    try {
      const value = await work(tx);
      isKept = keep(value);
      return value;
    } finally {
      if (!isKept) takeStaged(tx);
    }
  };

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
  const attempt = async (tx: Tx): Promise<Result<Value> | "done before"> => {
    // Together: `work` begins before the key's answer is here, and is undone with the rest if the key stands already.
    const [claimed, worked] = await Promise.allSettled([
      claimIdempotencyKey(tx, { ...idempotency, requestHash }),
      work(tx),
    ]);
    if (claimed.status === "rejected") throw claimed.reason;
    if (!claimed.value) return "done before";
    if (worked.status === "rejected") throw worked.reason;
    return worked.value;
  };
  const keep = (outcome: Result<Value> | "done before"): boolean => outcome !== "done before" && outcome.ok;
  const result = await transaction(context.pool, staging(attempt, keep), {
    keep,
    last: (tx, outcome) =>
      outcome !== "done before" && outcome.ok
        ? [storeAnswer(tx, { ...idempotency, body: outcome.value, events: takeStaged(tx) })]
        : [],
  });
  if (result === "done before") return answeredBefore(context, idempotency, requestHash);
  if (result.ok) context.nudge();
  return result;
}

async function answeredBefore<Value>(
  context: Context,
  idempotency: Idempotency,
  requestHash: Buffer,
): Promise<Result<Value>> {
  const stored = await readIdempotencyKey(context.pool, idempotency);
  if (stored === null || !stored.requestHash.equals(requestHash)) return reject("idempotency_key_reused");
  // Stored by `changeOnce` for the same route, so it has the shape of that route's answer.
  return { ok: true, value: stored.body as Value };
}

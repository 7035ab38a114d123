/** Answers that cost much and may be a moment old. */
import type { Pool } from "../db/pool.ts";
import type { Context } from "./context.ts";

/** What `read` answers, at most so old (ms); whoever asks meanwhile shares one reading. A failure isn't kept. */
export function keptFor<Value>(
  keptMs: number,
  read: (context: Context) => Promise<Value>,
): (context: Context) => Promise<Value> {
  const kept = new WeakMap<Pool, { atMs: number; value: Promise<Value> }>();
  return (context) => {
    const nowMs = context.clock();
    const known = kept.get(context.pool);
    if (known !== undefined && nowMs - known.atMs < keptMs) return known.value;
    const value = read(context);
    kept.set(context.pool, { atMs: nowMs, value });
    // Whoever asks next tries again.
    value.catch(() => kept.delete(context.pool));
    return value;
  };
}

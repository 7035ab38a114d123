/** Answers that cost much and may be a moment old. */
import type { Pool } from "../db/pool.ts";
import type { Context } from "./context.ts";

/**
 * What `read` answers, kept for so long (ms) once it is here. Whoever asks before shares one reading, however long that
 * takes. A failure isn't kept.
 */
export function keptFor<Value>(
  keptMs: number,
  read: (context: Context) => Promise<Value>,
): (context: Context) => Promise<Value> {
  const kept = new WeakMap<Pool, { readAtMs: number | null; value: Promise<Value> }>();
  return (context) => {
    const known = kept.get(context.pool);
    if (known !== undefined && (known.readAtMs === null || context.clock() - known.readAtMs < keptMs))
      return known.value;
    const reading: typeof known = { readAtMs: null, value: read(context) };
    kept.set(context.pool, reading);
    reading.value.then(
      () => {
        reading.readAtMs = context.clock();
      },
      () => kept.delete(context.pool), // Whoever asks next tries again.
    );
    return reading.value;
  };
}

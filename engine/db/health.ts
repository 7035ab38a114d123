import { cellOf, maybeCount } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/** Asks the database anything at all, and how long ago the chain's work moved on; null before its first block. */
export async function readPulse(db: Queryable): Promise<{ chainMovedSecondsAgo: number | null }> {
  const { rows } = await db.query(
    "SELECT (SELECT floor(extract(epoch FROM now() - moved_at))::bigint FROM chain_cursor) AS seconds",
  );
  return { chainMovedSecondsAgo: cellOf(maybeCount, rows) };
}

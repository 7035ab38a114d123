/** Counts for the operator's first line, and the totals that the public page shows. */
import { z } from "zod";
import { big, count, firstOf, oneOf, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const work = z.object({
  deposits_unmatched: count,
  instructions_waiting: count,
  instructions_stuck: count,
  oldest_stuck_seconds: count.nullable(),
  open_disputes: count,
});
/**
 * Work to look at. An instruction is stuck when it is parked, or has taken ten minutes more than the window in which it may be
 * undone from the queue to a block, however often its nonce was given back and it was put off meanwhile.
 */
export async function readWork(
  db: Queryable,
  { undoWindowMs }: { undoWindowMs: number },
): Promise<z.output<typeof work>> {
  const { rows } = await db.query(
    `WITH stuck AS (SELECT extract(epoch FROM now() - changed_at) AS seconds FROM instruction
       WHERE state = 'parked' OR (state IN ('queued', 'sending')
         AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0)
         AND changed_at < now() - interval '10 minutes' - $1 * interval '1 millisecond'))
     SELECT (SELECT count(*) FROM deposit WHERE suspense_state = 'open') AS deposits_unmatched,
       (SELECT count(*) FROM instruction WHERE state IN ('gathering', 'queued', 'sending')) AS instructions_waiting,
       (SELECT count(*) FROM stuck) AS instructions_stuck,
       (SELECT floor(max(seconds))::bigint FROM stuck) AS oldest_stuck_seconds,
       (SELECT count(*) FROM game WHERE state = 'disputed') AS open_disputes`,
    [undoWindowMs],
  );
  return oneOf(work, rows);
}

const total = z.object({
  token: z.string(),
  owed: big,
  in_escrow: big,
  earned: big,
  in_suspense: big,
});
/** Per known token: what we owe. */
export async function readTotals(db: Queryable): Promise<z.output<typeof total>[]> {
  const { rows } = await db.query(
    `SELECT token.address AS token,
       coalesce(sum(balance) FILTER (WHERE kind LIKE 'player.%'), 0) AS owed,
       coalesce(sum(balance) FILTER (WHERE kind = 'escrow.stakes'), 0) AS in_escrow,
       coalesce(sum(balance) FILTER (WHERE kind IN ('house.rake', 'house.dust')), 0) AS earned,
       coalesce(sum(balance) FILTER (WHERE kind = 'suspense'), 0) AS in_suspense
     FROM token LEFT JOIN account ON account.token = token.address GROUP BY token.address ORDER BY listed DESC, token.position, token.address`,
  );
  return rowsOf(total, rows);
}

const loggedTotal = z.object({ token: z.string(), amount: big });
/** Per token: what our wallets hold by the logs that we have seen up to the head. */
export async function readLogged(db: Queryable): Promise<Map<string, bigint>> {
  const { rows } = await db.query(
    `SELECT token, sum(CASE WHEN recipient_wallet_id IS NULL THEN 0 ELSE amount END
       - CASE WHEN sender_wallet_id IS NULL THEN 0 ELSE amount END) AS amount FROM chain_log WHERE canonical GROUP BY token`,
  );
  return new Map(rowsOf(loggedTotal, rows).map(({ token, amount }) => [token, amount]));
}

const lifted = z.object({ invariant: z.string(), detail: z.string() });
/** Lifts a standing breach; null when there is none of this id. */
export async function liftBreach(
  tx: Tx,
  input: { breachId: string; by: string; reason: string; at: Date },
): Promise<z.output<typeof lifted> | null> {
  const { rows } = await tx.query(
    `UPDATE breach SET lifted_at = $2, lifted_by = $3, lift_reason = $4 WHERE id = $1 AND lifted_at IS NULL
     RETURNING invariant, detail`,
    [input.breachId, input.at, input.by, input.reason],
  );
  return firstOf(lifted, rows);
}

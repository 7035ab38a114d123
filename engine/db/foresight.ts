/** What is read ahead of a block, and what is written on the strength of it: refused where the books have changed since. */
import { z } from "zod";
import { loggedArrays, loggedColumns, loggedValues, type NewChainLog } from "./chain-log.ts";
import { type HandledBlock, headValues, keepingBlock, movingHead } from "./cursor.ts";
import { big, firstOf, id, rowsOf } from "./decode.ts";
import { type DepositRow, type Exposed, type Exposure, exposureValues, readExposures } from "./deposits.ts";
import type { Queryable, Tx } from "./pool.ts";

const place = z.object({ head_number: big, head_hash: z.string(), safe_number: big, finalized_number: big });
const reserved = z.object({ chain_log_id: id, deposit_id: id });
export type ReservedIds = z.output<typeof reserved>;

/** How the books stand. */
export interface Outlook {
  /** Null when the next block isn't to be foreseen: see `isQuiet`. */
  cursor: z.output<typeof place> | null;
  /** What isn't final yet, per player and token. */
  exposed: Exposed[];
  /** For new deposits: one for each wallet of ours among the recipients. */
  ids: ReservedIds[];
}

/** No recovery stands, deposits are credited, and none waits to be. */
const isQuiet = `NOT EXISTS (SELECT FROM recovery WHERE ended_at IS NULL)
  AND (SELECT is_on FROM switch WHERE name = 'deposits')
  AND NOT EXISTS (SELECT FROM deposit WHERE state = 'seen' AND NOT credited)`;

/** Sends its statements at once. */
export async function readOutlook(db: Queryable, recipients: string[]): Promise<Outlook> {
  const [cursor, exposed, ids] = await Promise.all([
    readQuietCursor(db),
    readExposures(db),
    reserveIds(db, recipients),
  ]);
  return { cursor, exposed, ids };
}

async function readQuietCursor(db: Queryable): Promise<Outlook["cursor"]> {
  const { rows } = await db.query({
    name: "read_quiet_cursor",
    text: `SELECT head_number, head_hash, safe_number, finalized_number FROM chain_cursor WHERE ${isQuiet}`,
  });
  return firstOf(place, rows);
}

async function reserveIds(db: Queryable, recipients: string[]): Promise<ReservedIds[]> {
  const { rows } = await db.query({
    name: "reserve_deposit_ids",
    text: `SELECT nextval('chain_log_id_seq') AS chain_log_id, nextval('deposit_id_seq') AS deposit_id
           FROM unnest($1::text[]) AS recipient JOIN wallet ON address = recipient`,
    values: [recipients],
  });
  return rowsOf(reserved, rows);
}

/**
 * Moves the head on to a block and remembers it, if the books are still as in the outlook: the same head and finality, as
 * quiet, and no more of anybody's money in play that isn't final. Fails otherwise (`isUnwritten`).
 * Call it with the cursor locked by a statement before: this one has to see what was written until then.
 */
export async function moveHeadAsForeseen(
  tx: Tx,
  block: HandledBlock,
  { cursor, exposed }: { cursor: z.output<typeof place>; exposed: readonly Exposed[] },
): Promise<void> {
  await tx.query({
    name: "move_head_as_foreseen",
    text: `WITH moved AS (
             ${movingHead} WHERE head_hash = $5 AND safe_number = $6 AND finalized_number = $7 AND ${isQuiet}
               AND NOT EXISTS (
                 SELECT FROM (SELECT player_id, token, sum(amount) AS amount FROM exposure WHERE until_block > $7 GROUP BY player_id, token) AS now
                 LEFT JOIN unnest($8::bigint[], $9::text[], $10::numeric[]) AS foreseen (player_id, token, amount)
                   ON foreseen.player_id = now.player_id AND foreseen.token = now.token
                 WHERE now.amount > coalesce(foreseen.amount, 0))
             RETURNING chain_id),
           kept AS (${keepingBlock})
           SELECT refuse_unwritten('block ' || $1) WHERE NOT EXISTS (SELECT FROM moved)`,
    values: [
      ...headValues(block),
      cursor.head_hash,
      cursor.safe_number.toString(),
      cursor.finalized_number.toString(),
      exposed.map((row) => row.playerId),
      exposed.map((row) => row.token),
      exposed.map((row) => row.amount.toString()),
    ],
  });
}

/** Keeps logs, each with the deposit that it is, as credited. Fails when one is known (23505). */
export async function insertCredited(
  tx: Tx,
  { logs, deposits, exposures }: { logs: NewChainLog[]; deposits: DepositRow[]; exposures: Exposure[] },
): Promise<void> {
  await tx.query({
    name: "insert_credited",
    text: `WITH given AS MATERIALIZED (
             SELECT * FROM unnest(${loggedArrays}, $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::timestamptz[])
               AS given (${loggedColumns}, log_id, deposit_id, wallet_id, player_id, seen_at)),
           kept AS (
             INSERT INTO chain_log (${loggedColumns}, id, kind, recipient_wallet_id)
             OVERRIDING SYSTEM VALUE
             SELECT ${loggedColumns}, log_id, 'deposit', wallet_id FROM given),
           deposited AS (
             INSERT INTO deposit (id, chain_log_id, token, amount, wallet_id, player_id, state, credited, created_at)
             OVERRIDING SYSTEM VALUE
             SELECT deposit_id, log_id, token, amount, wallet_id, player_id, 'playable', true, seen_at FROM given)
           INSERT INTO exposure (player_id, token, amount, until_block, business_key)
           SELECT * FROM unnest($16::bigint[], $17::text[], $18::numeric[], $19::bigint[], $20::text[])`,
    values: [
      ...loggedValues(logs),
      deposits.map((row) => row.chain_log_id),
      deposits.map((row) => row.id),
      deposits.map((row) => row.wallet_id),
      deposits.map((row) => row.player_id),
      deposits.map((row) => row.created_at),
      ...exposureValues(exposures),
    ],
  });
}

/** Instructions that wait to be paid: which are due, and what speaks against paying them. */
import { z } from "zod";
import { authorisedBy } from "./authorisations.ts";
import { big, cellOf, flag, id, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const due = z.object({
  id,
  kind: z.enum(["collect", "fund", "settle", "payout", "withdrawal", "sweep", "refund", "topup", "deploy"]),
  token: z.string().nullable(),
  destination: z.string(),
  amount: big,
  wallet_id: id,
  wallet_address: z.string(),
  wallet_purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  /** A transaction with it failed for good before. */
  has_failed: z.boolean(),
});
export type DueInstruction = z.output<typeof due>;

/** One token of one wallet; null is ether. */
export interface Purse {
  walletId: string;
  token: string | null;
}

const isDue =
  "not_before <= $1 AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0)";
/**
 * Queued instructions whose time has come and whose wallet isn't frozen, from the first `limit` purses after one that have
 * any: of each purse the oldest, none of them the second while another lacks its first. So what can't be paid from one
 * purse, however much it is, leaves room for the others. Fewer than `limit` are all that there are after that purse; the
 * last is of the last purse. The time that it takes grows with what is answered, not with what waits.
 */
export async function readDueInstructions(
  db: Queryable,
  { now, after, limit }: { now: Date; after: Purse | null; limit: number },
): Promise<DueInstruction[]> {
  const { rows } = await db.query({
    name: "read_due_instructions",
    text: `WITH RECURSIVE purse AS (
             SELECT $2::bigint AS wallet_id, $3::text AS token
             UNION ALL
             SELECT following.* FROM purse CROSS JOIN LATERAL (
               SELECT source_wallet_id, coalesce(token, '') FROM instruction
               WHERE state = 'queued' AND (source_wallet_id, coalesce(token, '')) > (purse.wallet_id, purse.token)
                 -- As one condition: several look so rare to the planner that it would sort all that is queued to find one.
                 AND CASE WHEN ${isDue} THEN (SELECT frozen_reason FROM wallet WHERE wallet.id = source_wallet_id) IS NULL ELSE false END
               ORDER BY source_wallet_id, coalesce(token, '') LIMIT 1) AS following),
           due AS (
             SELECT queued.* FROM (SELECT * FROM purse OFFSET 1 LIMIT $4) AS purse CROSS JOIN LATERAL (
               SELECT id, kind, token, destination, amount, source_wallet_id, row_number() OVER (ORDER BY id) AS place FROM instruction
               WHERE state = 'queued' AND source_wallet_id = purse.wallet_id AND coalesce(token, '') = purse.token AND ${isDue}
               ORDER BY id LIMIT $4) AS queued
             ORDER BY place LIMIT $4)
           SELECT due.id, kind, token, destination, amount, wallet.id AS wallet_id, wallet.address AS wallet_address, purpose AS wallet_purpose,
             EXISTS (SELECT FROM chain_tx_instruction WHERE instruction_id = due.id AND state = 'reverted') AS has_failed
           FROM due JOIN wallet ON wallet.id = source_wallet_id ORDER BY wallet.id, coalesce(token, ''), due.id`,
    values: [now, after?.walletId ?? 0, after?.token ?? "", limit],
  });
  return rowsOf(due, rows);
}

/** Whether a round of sending might find something to do; most of the time it wouldn't, and asks nothing else. */
export async function isAnythingToSend(
  db: Queryable,
  moments: { now: Date; sentBefore: Date; signedBefore: Date },
): Promise<boolean> {
  const { rows } = await db.query({
    name: "is_anything_to_send",
    text: `SELECT EXISTS (SELECT FROM instruction WHERE state = 'queued' AND ${isDue})
             OR EXISTS (
               SELECT FROM chain_tx LEFT JOIN LATERAL (
                 SELECT * FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
               WHERE state = 'open' AND (last.sent_at IS NULL OR last.sent_at < $2 OR last.created_at < $3 OR last.last_answer = 'insufficient_funds')) AS anything`,
    values: [moments.now, moments.sentBefore, moments.signedBefore],
  });
  return cellOf(flag, rows);
}

const leaving = z.object({ wallet_id: id, token: z.string().nullable(), amount: big });
/** Per wallet and token: what is signed and not mined yet. */
export async function readLeaving(db: Queryable, walletIds: string[]) {
  const { rows } = await db.query({
    name: "read_leaving",
    text: `SELECT source_wallet_id AS wallet_id, token, sum(amount) AS amount FROM instruction
           WHERE source_wallet_id = ANY ($1::bigint[]) AND state = 'sending' GROUP BY source_wallet_id, token`,
    values: [walletIds],
  });
  return rowsOf(leaving, rows);
}

const way = z.object({
  wallet_id: id,
  /** By which the gas wallet has it pay; null: by transactions of its own. */
  executor: z.string().nullable(),
});
/**
 * How each of these wallets has payments under way, up to finality. Its nonces, and what it runs when each of them is mined,
 * are safe only while one way is over before another begins.
 */
export async function readWaysUnderWay(db: Queryable, walletIds: string[]) {
  const { rows } = await db.query({
    name: "read_ways_under_way",
    text: `SELECT DISTINCT source_wallet_id AS wallet_id, CASE WHEN instruction_tx.wallet_id <> source_wallet_id
             THEN coalesce(${authorisedBy("source_wallet_id")}, 'unknown') END AS executor
           FROM instruction JOIN instruction_tx ON instruction_id = instruction.id AND instruction_tx.state IN ('open', 'mined')
           WHERE source_wallet_id = ANY ($1::bigint[]) AND instruction.state IN ('sending', 'mined')`,
    values: [walletIds],
  });
  return rowsOf(way, rows);
}

/**
 * Collections whose deposits are final are sent when they hold enough, or when the vault owes more than it can see
 * coming otherwise.
 */
export async function releaseCollections(
  tx: Tx,
  { finalized, minima }: { finalized: bigint; minima: ReadonlyMap<string, bigint> },
): Promise<void> {
  await tx.query({
    name: "release_collections",
    text: `UPDATE instruction SET state = 'queued', changed_at = now()
           WHERE state = 'gathering' AND not_before_block <= $1 AND (
             amount >= coalesce((SELECT minimum FROM unnest($2::text[], $3::numeric[]) AS given (token, minimum) WHERE given.token = instruction.token), 0)
             OR EXISTS (SELECT FROM instruction owed JOIN wallet ON wallet.id = owed.source_wallet_id
                        WHERE wallet.purpose = 'vault' AND owed.token = instruction.token AND owed.state = 'queued'))`,
    values: [finalized.toString(), [...minima.keys()], [...minima.values()].map(String)],
  });
}

/** Parks what its recipient's token refuses; it blocks nobody. Only while nothing is signed. */
export async function parkInstruction(
  tx: Tx,
  { instructionId, note }: { instructionId: string; note: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    "UPDATE instruction SET state = 'parked', note = $2, changed_at = now() WHERE id = $1 AND state = 'queued'",
    [instructionId, note.slice(0, 300)],
  );
  return rowCount === 1;
}

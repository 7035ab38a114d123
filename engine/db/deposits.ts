/** Deposits: what a log into one of our wallets means, and whether the ledger holds it. */
import { z } from "zod";
import { big, columnOf, count, id, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const pending = z.object({
  id,
  chain_log_id: id,
  inclusion: count,
  token: z.string(),
  amount: big,
  wallet_id: id,
  purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  player_id: id.nullable(),
  sender: z.string(),
  tx_hash: z.string(),
  block_number: big,
  created_at: moment,
  state: z.enum(["seen", "playable", "final", "orphaned"]),
  credited: z.boolean(),
  suspense_state: z.enum(["open", "claimed", "refunded"]).nullable(),
  claimed_by: id.nullable(),
});
export type DepositRow = z.output<typeof pending>;
const select = `SELECT deposit.id, chain_log_id, chain_log.inclusion, deposit.token, deposit.amount, deposit.wallet_id, wallet.purpose,
    deposit.player_id, chain_log.sender, chain_log.tx_hash, chain_log.block_number, deposit.created_at, deposit.state, deposit.credited, deposit.suspense_state, deposit.claimed_by
  FROM deposit JOIN chain_log ON chain_log.id = chain_log_id JOIN wallet ON wallet.id = deposit.wallet_id`;

/**
 * Deposits that the ledger doesn't hold yet, locked, oldest first; none while an operator keeps them from being credited.
 * When there are more than `limit`, everybody has a turn: nobody's second is looked at while another lacks a first, and of
 * one turn each token has its share.
 */
export async function lockUncredited(tx: Tx, limit: number): Promise<DepositRow[]> {
  const { rows } = await tx.query({
    name: "lock_uncredited",
    text: `${select} WHERE deposit.id IN (
             SELECT id FROM (
               SELECT id, turn, row_number() OVER (PARTITION BY turn, token ORDER BY id) AS place FROM (
                 SELECT id, token, row_number() OVER (PARTITION BY player_id ORDER BY id) AS turn FROM deposit WHERE state = 'seen' AND NOT credited) AS waiting) AS line
             ORDER BY turn, place, id LIMIT $1)
           AND deposit.state = 'seen' AND NOT deposit.credited AND (SELECT is_on FROM switch WHERE name = 'deposits') ORDER BY deposit.id FOR UPDATE OF deposit`,
    values: [limit],
  });
  return rowsOf(pending, rows);
}

/** Deposits whose block is above a number: what a reorg takes back. Locked, newest first. */
export async function lockDepositsAbove(tx: Tx, blockNumber: bigint): Promise<DepositRow[]> {
  const { rows } = await tx.query(
    `${select} WHERE chain_log.canonical AND chain_log.kind = 'deposit' AND chain_log.block_number > $1 AND deposit.state <> 'orphaned'
     ORDER BY deposit.id DESC FOR UPDATE OF deposit`,
    [blockNumber.toString()],
  );
  return rowsOf(pending, rows);
}

export async function setDepositOrphaned(tx: Tx, depositId: string): Promise<void> {
  await tx.query("UPDATE deposit SET state = 'orphaned', credited = false WHERE id = $1", [depositId]);
}

/** Credited deposits at or below the finalized block become final; answers their ids. */
export async function finalizeDeposits(tx: Tx, finalized: bigint): Promise<string[]> {
  const { rows } = await tx.query(
    `UPDATE deposit SET state = 'final' FROM chain_log
     WHERE chain_log.id = chain_log_id AND deposit.state = 'playable' AND chain_log.canonical AND chain_log.block_number <= $1 RETURNING deposit.id`,
    [finalized.toString()],
  );
  return columnOf(id, rows);
}

/** Credited deposits of the blocks that have been posted to Ethereum since (`safe`). */
export async function readNewlyPosted(
  tx: Tx,
  { above, upTo }: { above: bigint; upTo: bigint },
): Promise<string[]> {
  const { rows } = await tx.query(
    `SELECT deposit.id FROM deposit JOIN chain_log ON chain_log.id = chain_log_id
     WHERE chain_log.canonical AND chain_log.block_number > $1 AND chain_log.block_number <= $2 AND deposit.player_id IS NOT NULL`,
    [above.toString(), upTo.toString()],
  );
  return columnOf(id, rows);
}

export interface Exposure {
  playerId: string;
  token: string;
  amount: bigint;
  untilBlock: bigint;
  businessKey: string;
}
/** The ledger holds these deposits from now on; what of it isn't final is counted until it is. */
export async function setDepositsCredited(tx: Tx, ids: string[], exposures: Exposure[]): Promise<void> {
  await tx.query({
    name: "set_deposits_credited",
    text: `WITH credited AS (UPDATE deposit SET state = 'playable', credited = true WHERE id = ANY ($1::bigint[]))
           INSERT INTO exposure (player_id, token, amount, until_block, business_key)
           SELECT * FROM unnest($2::bigint[], $3::text[], $4::numeric[], $5::bigint[], $6::text[]) ON CONFLICT (business_key) DO NOTHING`,
    values: [ids, ...exposureValues(exposures)],
  });
}

export const exposureValues = (exposures: Exposure[]): string[][] => [
  exposures.map((row) => row.playerId),
  exposures.map((row) => row.token),
  exposures.map((row) => row.amount.toString()),
  exposures.map((row) => row.untilBlock.toString()),
  exposures.map((row) => row.businessKey),
];

export async function deleteExposure(tx: Tx, businessKey: string): Promise<void> {
  await tx.query("DELETE FROM exposure WHERE business_key = $1", [businessKey]);
}

/** What a player has in play of a token that isn't final. */
export interface Exposed {
  playerId: string;
  token: string;
  amount: bigint;
}
const total = z.object({ player_id: id, token: z.string(), amount: big });
/** What isn't final yet, per player and token. */
export async function readExposures(db: Queryable): Promise<Exposed[]> {
  const { rows } = await db.query({
    name: "read_exposures",
    text: `SELECT player_id, token, sum(amount) AS amount FROM exposure
           WHERE until_block > (SELECT finalized_number FROM chain_cursor) GROUP BY player_id, token`,
  });
  return rowsOf(total, rows).map(({ player_id: playerId, token, amount }) => ({ playerId, token, amount }));
}

/** What has become final counts no longer. */
export async function trimExposures(tx: Tx, finalized: bigint): Promise<void> {
  await tx.query("DELETE FROM exposure WHERE until_block <= $1", [finalized.toString()]);
}

export interface UnpaidLoss {
  chainLogId: string;
  inclusion: number;
  amount: bigint;
}
const loss = z.object({ chain_log_id: id, inclusion: count, amount: big });
/**
 * What the house bore for earlier inclusions of these deposits and hasn't got back. Each later inclusion may have given
 * back a part, under a business key of its own.
 */
export async function readUnpaidLosses(
  tx: Tx,
  deposits: Pick<DepositRow, "chain_log_id" | "inclusion">[],
): Promise<UnpaidLoss[]> {
  if (deposits.length === 0) return [];
  const { rows } = await tx.query(
    `SELECT log AS chain_log_id, place AS inclusion, loss.amount - repaid.amount AS amount
     FROM unnest($1::bigint[], $2::int[]) AS given (log, inclusion) CROSS JOIN LATERAL generate_series(1, inclusion - 1) AS place
     JOIN transfer loss ON loss.business_key = 'deposit:' || log || ':' || place || ':loss'
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(amount), 0) AS amount FROM transfer WHERE business_key = ANY (ARRAY(
         SELECT 'deposit:' || log || ':' || place || ':repaid' || later
         FROM unnest(array_append(ARRAY(SELECT '-' || generate_series(place + 1, inclusion - 1)), '')) AS later))) AS repaid
     WHERE loss.amount > repaid.amount ORDER BY log, place`,
    [deposits.map((row) => row.chain_log_id), deposits.map((row) => row.inclusion)],
  );
  return rowsOf(loss, rows).map(({ chain_log_id: chainLogId, inclusion, amount }) => ({
    chainLogId,
    inclusion,
    amount,
  }));
}

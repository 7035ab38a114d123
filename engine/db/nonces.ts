/** Nonces between being spent and being used up: given back while nothing is signed, looked for when they don't come through. */
import { z } from "zod";
import { big, cellOf, count, flag, id, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const isTwin = `twin.source_wallet_id = instruction.source_wallet_id AND twin.token = instruction.token
  AND twin.destination = instruction.destination AND twin.cause = instruction.cause`;
/** Whether one waits that an `instruction` would be merged with, did it wait as well. */
export const hasTwin = `EXISTS (SELECT FROM instruction twin WHERE ${isTwin} AND twin.state IN ('gathering', 'queued'))`;

const given = z.object({ instruction_id: id });

/**
 * Gives a wallet's nonces from `fromNonce` on back, with their instructions, which wait in the queue again, and the nonces
 * that other wallets were to spend by authorisations in them. Only while
 * none of them has a stored signature: bytes that exist may be mined whenever they like. Answers the instructions, none
 * when one is signed already.
 */
export async function giveNoncesBack(
  tx: Tx,
  { walletId, fromNonce }: { walletId: string; fromNonce: number },
): Promise<string[]> {
  await tx.query("SELECT 1 FROM wallet WHERE id = $1 FOR UPDATE", [walletId]);
  const { rows } = await tx.query(
    `WITH unsigned AS (
       DELETE FROM chain_tx WHERE wallet_id = $1 AND nonce >= $2 AND state = 'open' AND NOT EXISTS (
         SELECT FROM chain_tx later WHERE later.wallet_id = $1 AND later.nonce >= $2
           AND (later.state <> 'open' OR EXISTS (SELECT FROM attempt WHERE chain_tx_id = later.id)))
       RETURNING id),
     moved AS (UPDATE wallet SET next_nonce = $2 WHERE id = $1 AND EXISTS (SELECT FROM unsigned)),
     returned AS MATERIALIZED (
       SELECT instruction.* FROM unsigned JOIN chain_tx_instruction paid ON chain_tx_id = unsigned.id
       JOIN instruction ON instruction.id = paid.instruction_id),
     unauthorised AS (
       UPDATE wallet SET next_nonce = authorisation.nonce FROM unsigned JOIN authorisation ON chain_tx_id = unsigned.id
       WHERE wallet.id = authorisation.wallet_id AND next_nonce = authorisation.nonce + 1)
     -- One that has a twin in the queue by now, or comes back with one, stays by itself: its amount is the one that was meant to be signed.
     UPDATE instruction SET state = 'queued', cause = CASE
       WHEN ${hasTwin} OR EXISTS (SELECT FROM returned twin WHERE ${isTwin} AND twin.id < instruction.id)
       THEN instruction.cause || ':' || instruction.id ELSE instruction.cause END
     FROM returned WHERE instruction.id = returned.id RETURNING instruction.id AS instruction_id`,
    [walletId, fromNonce],
  );
  return rowsOf(given, rows).map((row) => row.instruction_id);
}

/** Those that can't be signed now aren't tried before a moment; the others of their wallet go first. */
export async function postponeInstructions(
  tx: Tx,
  { instructionIds, until, note }: { instructionIds: readonly string[]; until: Date; note: string },
): Promise<void> {
  await tx.query(
    "UPDATE instruction SET not_before = greatest(not_before, $2), note = $3 WHERE id = ANY ($1::bigint[]) AND state = 'queued'",
    [instructionIds, until, note.slice(0, 300)],
  );
}

const reserved = z.object({ next_nonce: big, payments: count, gas: big, ether: big });
/**
 * What a wallet's open transactions may still cost: how many payments they make, their gas at the highest fee signed so far (wei;
 * `feePerGas` for those that aren't signed), and the ether that they bring elsewhere.
 */
export async function readOpenCosts(
  db: Queryable,
  { walletId, feePerGas }: { walletId: string; feePerGas: bigint },
) {
  const { rows } = await db.query({
    name: "read_open_costs",
    text: `SELECT next_nonce, coalesce(sum(paid.payments), 0) AS payments, coalesce(sum(paid.ether), 0) AS ether,
             coalesce(sum(chain_tx.gas_limit * coalesce((SELECT max(max_fee_per_gas) FROM attempt WHERE chain_tx_id = chain_tx.id), $2::numeric)), 0) AS gas
           FROM wallet LEFT JOIN chain_tx ON wallet_id = wallet.id AND chain_tx.state = 'open'
             LEFT JOIN LATERAL (
               SELECT count(*) AS payments, sum(amount) FILTER (WHERE token IS NULL) AS ether
               FROM chain_tx_instruction JOIN instruction ON instruction.id = instruction_id WHERE chain_tx_id = chain_tx.id) AS paid ON true
           WHERE wallet.id = $1 GROUP BY wallet.id`,
    values: [walletId, feePerGas.toString()],
  });
  const [row] = rowsOf(reserved, rows);
  if (row === undefined) throw new Error(`wallet ${walletId} is gone`);
  return { nextNonce: row.next_nonce, payments: row.payments, gas: row.gas, ether: row.ether };
}

const thirsty = z.object({ wallet_id: id, address: z.string() });
/** Wallets but the gas wallet whose signed transactions a node refused for want of ether. */
export async function readThirstyWallets(db: Queryable, limit: number): Promise<z.output<typeof thirsty>[]> {
  const { rows } = await db.query({
    name: "read_thirsty_wallets",
    text: `SELECT DISTINCT wallet.id AS wallet_id, address FROM chain_tx JOIN wallet ON wallet.id = wallet_id
             JOIN LATERAL (SELECT last_answer FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
           WHERE chain_tx.state = 'open' AND purpose <> 'gas' AND frozen_reason IS NULL AND last_answer = 'insufficient_funds' LIMIT $1`,
    values: [limit],
  });
  return rowsOf(thirsty, rows);
}

const outstanding = z.object({ wallet_id: id, address: z.string(), nonce: big, hashes: z.array(z.string()) });
/** The lowest open nonce of each wallet, when something was sent with it a while ago and nothing came of it. */
export async function readOutstanding(
  db: Queryable,
  { sentBefore, limit }: { sentBefore: Date; limit: number },
): Promise<z.output<typeof outstanding>[]> {
  const { rows } = await db.query({
    name: "read_outstanding",
    text: `SELECT DISTINCT ON (wallet.id) wallet.id AS wallet_id, address, nonce,
             (SELECT array_agg(hash::text) FROM attempt WHERE chain_tx_id = chain_tx.id) AS hashes
           FROM chain_tx JOIN wallet ON wallet.id = wallet_id
           WHERE state = 'open' AND frozen_reason IS NULL AND EXISTS (
             SELECT FROM attempt WHERE chain_tx_id = chain_tx.id AND sent_at IS NOT NULL AND attempt.created_at < $1)
           ORDER BY wallet.id, nonce LIMIT $2`,
    values: [sentBefore, limit],
  });
  return rowsOf(outstanding, rows);
}

/** How many nonces of a wallet are spent by now. */
export async function readNextNonce(db: Queryable, walletId: string): Promise<bigint> {
  const { rows } = await db.query("SELECT next_nonce FROM wallet WHERE id = $1", [walletId]);
  return cellOf(big, rows);
}

export async function isFrozen(db: Queryable, walletId: string): Promise<boolean> {
  const { rows } = await db.query("SELECT frozen_reason IS NOT NULL AS is_frozen FROM wallet WHERE id = $1", [
    walletId,
  ]);
  return cellOf(flag, rows);
}

const activeWallet = z.object({ id, address: z.string(), next_nonce: big });
/** The newest transactions are looked through for wallets; who spent a nonce longer ago has his turn no more. */
const newestSpent = 10_000;
/**
 * Wallets that have spent a nonce of late, by a transaction or an authorisation: the chain must not know of more than we
 * do. The two that are used all the time come first, then the most recently used.
 */
export async function readActiveWallets(db: Queryable, limit: number) {
  const { rows } = await db.query(
    `SELECT wallet.id, address, next_nonce FROM wallet LEFT JOIN (
       SELECT wallet_id, max(tx) AS last FROM (
         (SELECT wallet_id, id AS tx FROM chain_tx ORDER BY id DESC LIMIT $2)
         UNION ALL (SELECT wallet_id, chain_tx_id FROM authorisation ORDER BY chain_tx_id DESC LIMIT $2)) AS spent GROUP BY wallet_id) AS used
       ON used.wallet_id = wallet.id
     WHERE address IS NOT NULL AND frozen_reason IS NULL AND next_nonce > 0 AND (used.last IS NOT NULL OR purpose IN ('vault', 'gas'))
     ORDER BY purpose IN ('vault', 'gas') DESC, used.last DESC LIMIT $1`,
    [limit, newestSpent],
  );
  return rowsOf(activeWallet, rows);
}

/** The nonces that instructions get: one each, or one of the gas wallet for several. */
import { z } from "zod";
import { id, rowsOf } from "./decode.ts";
import type { Tx } from "./pool.ts";

/** Nobody else spends its nonces meanwhile. */
export async function lockWallet(tx: Tx, walletId: string): Promise<void> {
  await tx.query("SELECT 1 FROM wallet WHERE id = $1 FOR UPDATE", [walletId]);
}

const allocated = z.object({ instruction_id: id });
/**
 * Spends the wallet's next nonces on instructions that are still queued and still due (a collection may have got a leg
 * since that isn't final), one each, in order; they are `sending` from now
 * on. The wallet's row is locked, so that two workers can't spend one nonce.
 */
export async function allocateNonces(
  tx: Tx,
  { walletId, uses }: { walletId: string; uses: { instructionId: string; gasLimit: bigint }[] },
) {
  await lockWallet(tx, walletId);
  const { rows } = await tx.query({
    name: "allocate_nonces",
    text: `WITH taken AS (
             UPDATE instruction SET state = 'sending' FROM unnest($2::bigint[], $3::bigint[]) AS given (id, gas_limit)
             WHERE instruction.id = given.id AND state = 'queued' AND source_wallet_id = $1
               AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING instruction.id, given.gas_limit),
           numbered AS (SELECT id, gas_limit, row_number() OVER (ORDER BY id) - 1 AS place FROM taken),
           spent AS (
             INSERT INTO chain_tx (wallet_id, nonce, gas_limit)
             SELECT $1, wallet.next_nonce + place, gas_limit FROM numbered JOIN wallet ON wallet.id = $1
             RETURNING id, nonce),
           moved AS (UPDATE wallet SET next_nonce = next_nonce + (SELECT count(*) FROM taken) WHERE id = $1)
           INSERT INTO chain_tx_instruction (chain_tx_id, ordinal, instruction_id)
           SELECT spent.id, 0, numbered.id FROM spent JOIN wallet ON wallet.id = $1 JOIN numbered ON nonce = next_nonce + place
           RETURNING instruction_id`,
    values: [walletId, uses.map((use) => use.instructionId), uses.map((use) => use.gasLimit.toString())],
  });
  return rowsOf(allocated, rows);
}

/**
 * Spends one nonce of the gas wallet on all of these instructions of one wallet that are still queued, in the order of
 * their ids. When that wallet hasn't authorised the executor yet, it spends one nonce of its own on it, in the same
 * transaction. Answers how many are paid.
 */
export async function allocateBatch(
  tx: Tx,
  batch: {
    gasWalletId: string;
    sourceWalletId: string;
    executor: string;
    instructionIds: string[];
    gasLimit: bigint;
  },
): Promise<number> {
  const { gasWalletId, sourceWalletId } = batch;
  for (const walletId of [gasWalletId, sourceWalletId]) await lockWallet(tx, walletId);
  const { rowCount } = await tx.query({
    name: "allocate_batch",
    text: `WITH taken AS (
             UPDATE instruction SET state = 'sending'
             WHERE id = ANY ($3::bigint[]) AND state = 'queued' AND source_wallet_id = $2
               AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING id),
           spent AS (
             INSERT INTO chain_tx (wallet_id, nonce, gas_limit)
             SELECT id, next_nonce, $4 FROM wallet WHERE id = $1 AND EXISTS (SELECT FROM taken) RETURNING id),
           authorised AS (
             INSERT INTO authorisation (wallet_id, nonce, executor, chain_tx_id)
             SELECT wallet.id, next_nonce, $5::text, spent.id FROM wallet CROSS JOIN spent
             WHERE wallet.id = $2 AND $5::text IS DISTINCT FROM (
               SELECT executor FROM authorisation WHERE wallet_id = wallet.id ORDER BY nonce DESC LIMIT 1)
             RETURNING wallet_id),
           moved AS (
             UPDATE wallet SET next_nonce = next_nonce + 1
             WHERE id IN (SELECT $1::bigint FROM spent UNION ALL SELECT wallet_id FROM authorised))
           INSERT INTO chain_tx_instruction (chain_tx_id, ordinal, instruction_id)
           SELECT spent.id, row_number() OVER (ORDER BY taken.id) - 1, taken.id FROM taken CROSS JOIN spent`,
    values: [gasWalletId, sourceWalletId, batch.instructionIds, batch.gasLimit.toString(), batch.executor],
  });
  return rowCount ?? 0;
}

/** Transactions of ours that the chain knows and the books don't: put where they belong, so that all goes on as if we had just sent them. */
import { z } from "zod";
import { lockWallet } from "./allocating.ts";
import { cellOf, count, firstCellOf, firstOf, id } from "./decode.ts";
import { mayBeMined, type Payment, readPayments } from "./payments.ts";
import type { Queryable, Tx } from "./pool.ts";

/** A signed transaction as found on the chain. */
export interface AdoptedAttempt {
  hash: string;
  raw: string;
  nonce: bigint;
  gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}
/** One thing that it does; `token` null is ether, or the executor's deployment. */
export interface Payload {
  token: string | null;
  destination: string;
  amount: bigint;
}

const standing = z.object({ id, wallet_id: id, nonce: count, attempts: count });
export type Standing = z.output<typeof standing> & { payments: Payment[] };
/**
 * The transaction that the books have under a nonce of a wallet, be it the wallet's own or one that takes its
 * authorisation along; null when there is none. The wallet's row is locked by this.
 */
export async function lockNonce(
  tx: Tx,
  { walletId, nonce }: { walletId: string; nonce: bigint },
): Promise<Standing | null> {
  await lockWallet(tx, walletId);
  const { rows } = await tx.query(
    `SELECT id, wallet_id, nonce, (SELECT count(*) FROM attempt WHERE chain_tx_id = chain_tx.id) AS attempts
     FROM chain_tx WHERE (wallet_id = $1 AND nonce = $2)
       OR id = (SELECT chain_tx_id FROM authorisation WHERE wallet_id = $1 AND nonce = $2)`,
    [walletId, nonce.toString()],
  );
  const found = firstOf(standing, rows);
  if (found === null) return null;
  return { ...found, payments: (await readPayments(tx, [found.id])).get(found.id) ?? [] };
}

/** The oldest instruction of a wallet that asks for exactly this and has no transaction, locked; null when none does. */
export async function lockMatching(
  tx: Tx,
  { walletId, token, destination, amount }: Payload & { walletId: string },
): Promise<string | null> {
  const { rows } = await tx.query(
    `SELECT id FROM instruction WHERE source_wallet_id = $1 AND token IS NOT DISTINCT FROM $2 AND destination = $3 AND amount = $4
       AND state IN ('gathering', 'queued', 'parked')
       AND NOT ${mayBeMined}
     ORDER BY id LIMIT 1 FOR UPDATE`,
    [walletId, token, destination, amount.toString()],
  );
  return firstCellOf(id, rows);
}

/** The one payout of a game that wasn't paid and that came to exactly this, locked; null when there is none, or another. */
export async function lockUnpaidPayout(
  tx: Tx,
  { walletId, token, amount }: { walletId: string; token: string; amount: bigint },
): Promise<string | null> {
  const { rows } = await tx.query(
    `SELECT id FROM instruction WHERE kind = 'payout' AND source_wallet_id = $1 AND token = $2 AND amount = $3
       AND state IN ('queued', 'parked') AND NOT ${mayBeMined} ORDER BY id LIMIT 2 FOR UPDATE`,
    [walletId, token, amount.toString()],
  );
  return rows.length === 1 ? firstCellOf(id, rows) : null;
}

/** Whether an instruction that asks for exactly this has a transaction whose end the books don't know. */
export async function isUnderWay(
  db: Queryable,
  { walletId, token, destination, amount }: Payload & { walletId: string },
): Promise<boolean> {
  const { rows } = await db.query(
    `SELECT id FROM instruction WHERE source_wallet_id = $1 AND token IS NOT DISTINCT FROM $2 AND destination = $3 AND amount = $4
       AND state = 'sending' LIMIT 1`,
    [walletId, token, destination, amount.toString()],
  );
  return rows.length > 0;
}

/** Spends the nonce, as the chain says that we did; what it paid is put to it afterwards. */
export async function insertAdopted(
  tx: Tx,
  { walletId, attempt }: { walletId: string; attempt: AdoptedAttempt },
): Promise<string> {
  const nonce = attempt.nonce.toString();
  const { rows } = await tx.query(
    `WITH moved AS (UPDATE wallet SET next_nonce = greatest(next_nonce, $2::bigint + 1) WHERE id = $1)
     INSERT INTO chain_tx (wallet_id, nonce, gas_limit) VALUES ($1, $2, $3) RETURNING id`,
    [walletId, nonce, attempt.gasLimit.toString()],
  );
  const chainTxId = cellOf(id, rows);
  await insertAdoptedAttempt(tx, { chainTxId: chainTxId, number: 1, attempt });
  return chainTxId;
}

/** The nonce that a wallet spent by the authorisation that the transaction took along. */
export async function insertAdoptedAuthorisation(
  tx: Tx,
  one: { chainTxId: string; walletId: string; nonce: bigint; executor: string },
): Promise<void> {
  await tx.query(
    `WITH moved AS (UPDATE wallet SET next_nonce = greatest(next_nonce, $2::bigint + 1) WHERE id = $1)
     INSERT INTO authorisation (wallet_id, nonce, executor, chain_tx_id) VALUES ($1, $2, $3, $4)`,
    [one.walletId, one.nonce.toString(), one.executor, one.chainTxId],
  );
}

/** The instruction is what the transaction pays at this place. */
export async function insertAdoptedPayment(
  tx: Tx,
  { chainTxId, ordinal, instructionId }: { chainTxId: string; ordinal: number; instructionId: string },
): Promise<void> {
  await tx.query(
    `WITH sent AS (UPDATE instruction SET state = 'sending', note = NULL, changed_at = now() WHERE id = $3)
     INSERT INTO chain_tx_instruction (chain_tx_id, ordinal, instruction_id) VALUES ($1, $2, $3)`,
    [chainTxId, ordinal, instructionId],
  );
}

/** Another attempt of a transaction that we know, signed since. */
export async function insertAdoptedAttempt(
  tx: Tx,
  { chainTxId, number, attempt }: { chainTxId: string; number: number; attempt: AdoptedAttempt },
): Promise<void> {
  await tx.query(
    `INSERT INTO attempt (hash, chain_tx_id, number, raw, max_fee_per_gas, max_priority_fee_per_gas, last_answer, sent_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'found on the chain', now()) ON CONFLICT (hash) DO NOTHING`,
    [
      attempt.hash,
      chainTxId,
      number,
      attempt.raw,
      attempt.maxFeePerGas.toString(),
      attempt.maxPriorityFeePerGas.toString(),
    ],
  );
}

/** What the gas wallet did and the books have lost: ether for a wallet of ours, or the executor's deployment. */
export async function insertLost(
  tx: Tx,
  lost: { kind: "topup" | "deploy"; walletId: string; destination: string; amount: bigint },
): Promise<string> {
  const { rows } = await tx.query(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause, note)
     VALUES ($1::text, $2, NULL, $3::text, $4, $1::text || ':' || $3::text || ':lost', 'found on the chain') RETURNING id`,
    [lost.kind, lost.walletId, lost.destination, lost.amount.toString()],
  );
  return cellOf(id, rows);
}

/**
 * A stray is explained after all: its log is what it would have been, and what was raised for it is lifted. False when it
 * isn't a stray in that block any more; then nothing is written. Call it with the cursor locked.
 */
export async function explainStray(
  tx: Tx,
  {
    logId,
    txHash,
    walletId,
    blockNumber,
    at,
  }: { logId: string; txHash: string; walletId: string; blockNumber: bigint; at: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE chain_log SET kind = CASE WHEN recipient_wallet_id IS NULL THEN 'outgoing' ELSE 'move' END
     WHERE id = $1 AND canonical AND kind = 'stray' AND block_number = $2`,
    [logId, blockNumber.toString()],
  );
  if (rowCount === 0) return false;
  await tx.query(
    `UPDATE breach SET lifted_at = $2, lifted_by = 'recovery', lift_reason = 'the books explain it now'
     WHERE lifted_at IS NULL AND strpos(detail, $1) > 0`,
    [txHash, at],
  );
  // Frozen for this one; but it may be suspect for something else by now, which the first reason has hidden.
  await tx.query(
    `UPDATE wallet SET frozen_reason = coalesce(
       (SELECT 'stray transfer ' || tx_hash FROM chain_log
        WHERE sender_wallet_id = $1 AND canonical AND kind = 'stray' ORDER BY id LIMIT 1),
       (SELECT detail FROM breach WHERE lifted_at IS NULL AND invariant = 'foreign nonce' AND strpos(detail, wallet.address) > 0
        ORDER BY id LIMIT 1))
     WHERE id = $1 AND strpos(frozen_reason, $2) > 0`,
    [walletId, txHash],
  );
  return true;
}

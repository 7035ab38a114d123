/** Transactions of ours that the chain knows and the books don't: put where they belong, so that all goes on as if we had just sent them. */
import { z } from "zod";
import { big, firstOf, id, rowsOf } from "./decode.ts";
import type { Tx } from "./pool.ts";

/** A signed transaction as found on the chain. */
export interface AdoptedAttempt {
  hash: string;
  raw: string;
  nonce: bigint;
  gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}
/** What it moves; `token` null is ether. */
export interface Payload {
  token: string | null;
  destination: string;
  amount: bigint;
}

const standing = z.object({
  chain_tx_id: id,
  instruction_id: id,
  state: z.string(),
  token: z.string().nullable(),
  destination: z.string(),
  amount: big,
  attempts: z.number(),
});
/** What the books have under a nonce of a wallet, whose row is locked by this. */
export async function lockNonce(tx: Tx, { walletId, nonce }: { walletId: string; nonce: bigint }) {
  await tx.query("SELECT 1 FROM wallet WHERE id = $1 FOR UPDATE", [walletId]);
  const { rows } = await tx.query(
    `SELECT chain_tx.id AS chain_tx_id, instruction_id, chain_tx.state, token, destination, amount,
       (SELECT count(*)::int FROM attempt WHERE chain_tx_id = chain_tx.id) AS attempts
     FROM chain_tx JOIN instruction ON instruction.id = instruction_id WHERE wallet_id = $1 AND nonce = $2`,
    [walletId, nonce.toString()],
  );
  return firstOf(standing, rows);
}

/** The oldest instruction of a wallet that asks for exactly this and has no transaction, locked; null when none does. */
export async function lockMatching(
  tx: Tx,
  { walletId, token, destination, amount }: Payload & { walletId: string },
): Promise<string | null> {
  const { rows } = await tx.query(
    `SELECT id FROM instruction WHERE source_wallet_id = $1 AND token IS NOT DISTINCT FROM $2 AND destination = $3 AND amount = $4
       AND state IN ('gathering', 'queued', 'parked')
       AND NOT EXISTS (SELECT FROM chain_tx WHERE instruction_id = instruction.id AND state <> 'reverted')
     ORDER BY id LIMIT 1 FOR UPDATE`,
    [walletId, token, destination, amount.toString()],
  );
  return firstOf(z.object({ id }), rows)?.id ?? null;
}

/** Spends the nonce on an instruction, as the chain says that we did. */
export async function insertAdopted(
  tx: Tx,
  { walletId, instructionId, attempt }: { walletId: string; instructionId: string; attempt: AdoptedAttempt },
): Promise<string> {
  const nonce = attempt.nonce.toString();
  const { rows } = await tx.query(
    `WITH spent AS (
       INSERT INTO chain_tx (wallet_id, nonce, instruction_id, gas_limit) VALUES ($1, $2, $3, $4) RETURNING id),
     moved AS (UPDATE wallet SET next_nonce = greatest(next_nonce, $2::bigint + 1) WHERE id = $1),
     sent AS (UPDATE instruction SET state = 'sending', note = NULL, changed_at = now() WHERE id = $3)
     SELECT id FROM spent`,
    [walletId, nonce, instructionId, attempt.gasLimit.toString()],
  );
  const [row] = rowsOf(z.object({ id }), rows);
  if (row === undefined) throw new Error(`nonce ${nonce} wasn't spent`);
  await insertAdoptedAttempt(tx, { chainTxId: row.id, number: 1, attempt });
  return row.id;
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

/** An instruction that the books have lost: ether that the gas wallet gave to a wallet of ours. */
export async function insertLostTopup(
  tx: Tx,
  { walletId, destination, amount }: { walletId: string; destination: string; amount: bigint },
): Promise<string> {
  const { rows } = await tx.query(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause, note)
     VALUES ('topup', $1, NULL, $2::text, $3, 'topup:' || $2::text || ':lost', 'found on the chain') RETURNING id`,
    [walletId, destination, amount.toString()],
  );
  return firstOf(z.object({ id }), rows)?.id ?? "";
}

/** A stray is explained after all: its log is what it would have been, and what was raised for it is lifted. */
export async function explainStray(
  tx: Tx,
  { logId, txHash, walletId, at }: { logId: string; txHash: string; walletId: string; at: Date },
): Promise<void> {
  await tx.query(
    `UPDATE chain_log SET kind = CASE WHEN recipient_wallet_id IS NULL THEN 'outgoing' ELSE 'move' END WHERE id = $1`,
    [logId],
  );
  await tx.query(
    `UPDATE breach SET lifted_at = $2, lifted_by = 'recovery', lift_reason = 'the books explain it now'
     WHERE lifted_at IS NULL AND strpos(detail, $1) > 0`,
    [txHash, at],
  );
  await tx.query(
    `UPDATE wallet SET frozen_reason = NULL WHERE id = $1 AND NOT EXISTS (
       SELECT FROM chain_log WHERE sender_wallet_id = $1 AND canonical AND kind = 'stray')`,
    [walletId],
  );
}

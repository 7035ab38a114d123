/** Signed bytes of our transactions: which are to be signed, kept and sent, and what the nodes said to them. */
import { z } from "zod";
import { authorisedBy } from "./authorisations.ts";
import { big, count, id, rowsOf, text } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const purpose = z.enum(["vault", "gas", "deposit", "escrow"]);
const unsigned = z.object({
  chain_tx_id: id,
  /** In the order in which they are paid. */
  instruction_ids: z.array(id).min(1),
  /** Whose nonce it is. */
  wallet_id: id,
  nonce: count,
  gas_limit: big,
  purpose,
  derivation_index: count,
  /** Whose tokens are moved. */
  source_id: id,
  source_purpose: purpose,
  source_index: count,
  source_frozen: z.boolean(),
  authorisation_nonce: count.nullable(),
  /** What the source runs, or will when this is mined; null when it has authorised nothing. */
  executor: text.nullable(),
  attempts: count,
  max_fee_per_gas: big.nullable(),
  max_priority_fee_per_gas: big.nullable(),
});
export type Unsigned = z.output<typeof unsigned>;
const toSign = `SELECT chain_tx.id AS chain_tx_id, instruction_ids, chain_tx.wallet_id, chain_tx.nonce, gas_limit, wallet.purpose, wallet.derivation_index,
    source_id, source.purpose AS source_purpose, source.derivation_index AS source_index, source.frozen_reason IS NOT NULL AS source_frozen,
    authorisation.nonce AS authorisation_nonce, ${authorisedBy("source_id")} AS executor, coalesce(last.number, 0) AS attempts, last.max_fee_per_gas, last.max_priority_fee_per_gas
  FROM chain_tx JOIN wallet ON wallet.id = wallet_id
  JOIN LATERAL (
    SELECT array_agg(instruction_id::text ORDER BY ordinal) AS instruction_ids, min(source_wallet_id) AS source_id
    FROM chain_tx_instruction JOIN instruction ON instruction.id = instruction_id WHERE chain_tx_id = chain_tx.id) AS paid ON true
  JOIN wallet source ON source.id = source_id
  LEFT JOIN authorisation ON authorisation.chain_tx_id = chain_tx.id
  LEFT JOIN LATERAL (SELECT * FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
  WHERE chain_tx.state = 'open' AND wallet.frozen_reason IS NULL`;

/** Nonces that are spent and have no signed bytes yet. */
export async function readUnsigned(db: Queryable, limit: number): Promise<Unsigned[]> {
  const { rows } = await db.query({
    name: "read_unsigned",
    text: `${toSign} AND last.number IS NULL ORDER BY chain_tx.wallet_id, chain_tx.nonce LIMIT $1`,
    values: [limit],
  });
  return rowsOf(unsigned, rows);
}

/** Those whose last attempt has been out for too long: the next one pays more. */
export async function readStuck(
  db: Queryable,
  { signedBefore, limit }: { signedBefore: Date; limit: number },
): Promise<Unsigned[]> {
  const { rows } = await db.query(
    `${toSign} AND last.created_at < $1 AND last.sent_at IS NOT NULL AND last.number < 50 ORDER BY chain_tx.wallet_id, chain_tx.nonce LIMIT $2`,
    [signedBefore, limit],
  );
  return rowsOf(unsigned, rows);
}

export interface NewAttempt {
  hash: string;
  chainTxId: string;
  number: number;
  raw: string;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
  createdAt: Date;
}
/** Keeps signed bytes before anybody sees them. Another worker's attempt of the same number stands; ours is dropped. */
export async function storeAttempts(tx: Tx, attempts: NewAttempt[]): Promise<void> {
  await tx.query({
    name: "store_attempts",
    text: `INSERT INTO attempt (hash, chain_tx_id, number, raw, max_fee_per_gas, max_priority_fee_per_gas, created_at)
           SELECT * FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::text[], $5::numeric[], $6::numeric[], $7::timestamptz[])
           ON CONFLICT DO NOTHING`,
    values: [
      attempts.map((row) => row.hash),
      attempts.map((row) => row.chainTxId),
      attempts.map((row) => row.number),
      attempts.map((row) => row.raw),
      attempts.map((row) => row.maxFeePerGas.toString()),
      attempts.map((row) => row.maxPriorityFeePerGas.toString()),
      attempts.map((row) => row.createdAt),
    ],
  });
}

const outgoing = z.object({
  hash: z.string(),
  raw: z.string(),
  instruction_ids: z.array(id),
  first: z.boolean(),
});
/** The newest attempt of each open nonce that was never sent, or whose last sending is long ago; in nonce order. */
export async function readUnsent(db: Queryable, { sentBefore, limit }: { sentBefore: Date; limit: number }) {
  const { rows } = await db.query({
    name: "read_unsent",
    text: `SELECT last.hash, last.raw, last.sent_at IS NULL AND last.number = 1 AS first,
             (SELECT array_agg(instruction_id::text) FROM chain_tx_instruction WHERE chain_tx_id = chain_tx.id) AS instruction_ids
           FROM chain_tx JOIN wallet ON wallet.id = wallet_id
           JOIN LATERAL (SELECT * FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
           WHERE chain_tx.state = 'open' AND frozen_reason IS NULL AND (last.sent_at IS NULL OR last.sent_at < $1)
           ORDER BY wallet_id, nonce LIMIT $2`,
    values: [sentBefore, limit],
  });
  return rowsOf(outgoing, rows);
}

/** What the node said, for people to read; no decision rests on it. */
export async function recordAnswers(
  tx: Tx,
  answers: { hash: string; answer: string; sentAt: Date }[],
): Promise<void> {
  await tx.query({
    name: "record_answers",
    text: `UPDATE attempt SET last_answer = given.answer, sent_at = given.sent_at
           FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS given (hash, answer, sent_at) WHERE attempt.hash = given.hash`,
    values: [
      answers.map((row) => row.hash),
      answers.map((row) => row.answer.slice(0, 200)),
      answers.map((row) => row.sentAt),
    ],
  });
}

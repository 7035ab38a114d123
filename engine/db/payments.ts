/** What our transactions pay: one instruction each, or several of one wallet and token. */
import { z } from "zod";
import { big, count, id, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const payment = z.object({
  chain_tx_id: id,
  instruction_id: id,
  /** Which of the token's Transfer logs in the transaction is its. */
  ordinal: count,
  source_id: id,
  source: z.string(),
  token: z.string().nullable(),
  destination: z.string(),
  amount: big,
});
export type Payment = z.output<typeof payment>;
const select = `SELECT paid.chain_tx_id, instruction_id, ordinal, source_wallet_id AS source_id, wallet.address AS source, token, destination, amount
  FROM chain_tx_instruction paid JOIN instruction ON instruction.id = instruction_id JOIN wallet ON wallet.id = source_wallet_id`;

/** Of an `instruction`: a transaction of it isn't known to have failed for good. */
export const mayBeMined =
  "EXISTS (SELECT FROM chain_tx_instruction paid WHERE paid.instruction_id = instruction.id AND paid.state <> 'reverted')";

/** By transaction, each in order. */
export async function readPayments(db: Queryable, chainTxIds: string[]): Promise<Map<string, Payment[]>> {
  const { rows } = await db.query({
    name: "read_payments",
    text: `${select} WHERE paid.chain_tx_id = ANY ($1::bigint[]) ORDER BY paid.chain_tx_id, ordinal`,
    values: [chainTxIds],
  });
  return grouped(rowsOf(payment, rows), (row) => row.chain_tx_id);
}

const attempted = payment.extend({ hash: z.string() });
/** By hash: which of these transactions are attempts of ours, and what each was to pay, in order. */
export async function readAttempts(db: Queryable, hashes: string[]): Promise<Map<string, Payment[]>> {
  const { rows } = await db.query({
    name: "read_attempts",
    text: `SELECT attempt.hash, payment.* FROM attempt JOIN (${select}) AS payment USING (chain_tx_id)
           WHERE attempt.hash = ANY ($1::text[]) ORDER BY attempt.hash, ordinal`,
    values: [hashes],
  });
  return grouped(rowsOf(attempted, rows), (row) => row.hash);
}

function grouped<Row>(rows: Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

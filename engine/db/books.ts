/** The check of the books: statements that answer what is wrong, and the last result. */
import { z } from "zod";
import { big, firstOf, flag, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/** One statement of an invariant. It answers rows of `fault`, a sentence each; none when all is well. */
export interface BooksCheck {
  /** The number in docs/money.md. */
  number: number;
  sql: string;
}

/** More of the same kind tells nobody more. */
export const mostFaults = 5;
export const fault = z.object({ fault: z.string() });

/** The first few faults that a check finds. */
export async function findFaults(db: Queryable, { sql }: BooksCheck): Promise<string[]> {
  const { rows } = await db.query(`SELECT fault FROM (${sql}) AS found LIMIT ${mostFaults}`);
  return rowsOf(fault, rows).map((row) => row.fault);
}

const result = z.object({
  invariants: z.array(
    z.object({ number: z.number(), name: z.string(), ok: z.boolean(), detail: z.string().nullable() }),
  ),
  /** What all our wallets hold, base units by token; null when the chain didn't say, or was asked for some only. */
  onChain: z.record(z.string(), z.string()).nullable(),
});
export type BooksResult = z.output<typeof result>;

/**
 * Keeps the newest check; an older one that was slower doesn't replace it. `blockNumber` is the one at which the wallets were
 * held against the chain, null where they weren't.
 */
export async function storeBooksCheck(
  db: Queryable,
  input: { checkedAt: Date; blockNumber: bigint | null; result: BooksResult },
): Promise<void> {
  await db.query(
    `INSERT INTO books_check (checked_at, block_number, result) VALUES ($1, $2, $3)
     ON CONFLICT (one) DO UPDATE SET checked_at = EXCLUDED.checked_at, result = EXCLUDED.result,
       block_number = coalesce(EXCLUDED.block_number, books_check.block_number),
       compared_at = CASE WHEN EXCLUDED.block_number IS NULL THEN books_check.compared_at ELSE now() END
     WHERE books_check.checked_at <= EXCLUDED.checked_at`,
    [input.checkedAt, input.blockNumber?.toString() ?? null, JSON.stringify(input.result)],
  );
}

/** Wallets that nobody has held against the chain for so long may hold anything: nothing leaves them meanwhile. */
export const isUncompared = "compared_at < now() - interval '15 minutes'";

const check = z.object({
  checked_at: moment,
  block_number: big.nullable(),
  compared_at: moment,
  is_uncompared: flag,
  result,
});
/** The last check; null before the first one. */
export async function readBooksCheck(db: Queryable) {
  const { rows } = await db.query(
    `SELECT checked_at, block_number, compared_at, ${isUncompared} AS is_uncompared, result FROM books_check`,
  );
  return firstOf(check, rows);
}

/** Invariants that didn't hold. While one stands, nothing leaves the house. */
import { z } from "zod";
import { isUncompared } from "./books.ts";
import { firstCellOf, flag, id, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

/** Once per cause while it stands. True when it is new. */
export async function insertBreach(
  db: Queryable,
  { invariant, detail }: { invariant: string; detail: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    "INSERT INTO breach (invariant, detail) VALUES ($1, $2) ON CONFLICT (invariant, detail) WHERE lifted_at IS NULL DO NOTHING",
    [invariant, detail.slice(0, 1_000)],
  );
  return rowCount === 1;
}

/** Once for ever: what a person has looked at and lifted isn't raised again by the same cause. */
export async function insertBreachOnce(
  tx: Tx,
  { invariant, detail }: { invariant: string; detail: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO breach (invariant, detail) SELECT $1::text, $2::text
     WHERE NOT EXISTS (SELECT FROM breach WHERE invariant = $1::text AND detail = $2::text)
     ON CONFLICT (invariant, detail) WHERE lifted_at IS NULL DO NOTHING`,
    [invariant, detail.slice(0, 1_000)],
  );
}

const breach = z.object({ id, invariant: z.string(), detail: z.string(), found_at: moment });
export async function readStandingBreaches(db: Queryable) {
  const { rows } = await db.query(
    "SELECT id, invariant, detail, found_at FROM breach WHERE lifted_at IS NULL ORDER BY id LIMIT 100",
  );
  return rowsOf(breach, rows);
}

/**
 * Whether anything may leave: the switch is on, no breach stands, the books aren't older than the world, and the wallets
 * were held against the chain of late.
 */
export async function mayMoneyLeave(db: Queryable): Promise<boolean> {
  const { rows } = await db.query({
    name: "may_money_leave",
    text: `SELECT is_on AND NOT EXISTS (SELECT FROM breach WHERE lifted_at IS NULL)
             AND NOT EXISTS (SELECT FROM recovery WHERE ended_at IS NULL)
             AND NOT EXISTS (SELECT FROM books_check WHERE ${isUncompared}) AS may FROM switch WHERE name = 'outflows'`,
  });
  return firstCellOf(flag, rows) ?? false;
}

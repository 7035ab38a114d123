/** Which process does the chain's work. */
import { count, firstCellOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

/**
 * Takes or renews a lease; null while another holds it. A new holder gets a higher fence: work that carries an older one
 * is refused, whatever its process believes about the time.
 */
export async function takeLease(
  db: Queryable,
  { name, holder, forMs }: { name: string; holder: string; forMs: number },
): Promise<number | null> {
  const { rows } = await db.query(
    `INSERT INTO lease (name, holder, fence, expires_at) VALUES ($1, $2, 1, now() + $3 * interval '1 millisecond')
     ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at,
       fence = lease.fence + CASE WHEN lease.holder = EXCLUDED.holder THEN 0 ELSE 1 END
     WHERE lease.holder = EXCLUDED.holder OR lease.expires_at < now() RETURNING fence`,
    [name, holder, forMs],
  );
  return firstCellOf(count, rows);
}

export async function giveUpLease(
  db: Queryable,
  { name, holder }: { name: string; holder: string },
): Promise<void> {
  await db.query("UPDATE lease SET expires_at = now() WHERE name = $1 AND holder = $2", [name, holder]);
}

/** Throws when the fence isn't the newest any more; otherwise nobody gets a newer one before this transaction ends. */
export async function holdFence(tx: Tx, { name, fence }: { name: string; fence: number }): Promise<void> {
  const { rowCount } = await tx.query("SELECT 1 FROM lease WHERE name = $1 AND fence = $2 FOR SHARE", [
    name,
    fence,
  ]);
  if (rowCount !== 1) throw new LostLeaseError(`the lease ${name} has gone to another process`);
}

export class LostLeaseError extends Error {
  override readonly name = "LostLeaseError";
}

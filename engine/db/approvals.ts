/** Operators' words for acts above the limit. */
import { cellOf, count } from "./decode.ts";
import type { Queryable } from "./pool.ts";

interface Act {
  action: string;
  subject: string;
  payloadHash: Buffer;
}

/** Writes one operator's word down; a second time changes nothing. */
export async function insertApproval(db: Queryable, act: Act & { operatorId: string }): Promise<void> {
  await db.query(
    `INSERT INTO approval (action, subject, payload_hash, operator_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [act.action, act.subject, act.payloadHash, act.operatorId],
  );
}

/** How many of those who are operators now said exactly this. */
export async function countApprovals(
  db: Queryable,
  { operatorAddresses, ...act }: Act & { operatorAddresses: string[] },
): Promise<number> {
  const { rows } = await db.query(
    `SELECT count(*) AS operators FROM approval WHERE action = $1 AND subject = $2 AND payload_hash = $3
       AND EXISTS (SELECT FROM player_wallet WHERE player_id = operator_id AND address = ANY ($4))`,
    [act.action, act.subject, act.payloadHash, operatorAddresses],
  );
  return cellOf(count, rows);
}

/** Deposits as they are shown. */
import { z } from "zod";
import { big, id, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const shown = z.object({
  id,
  player_id: id.nullable(),
  token: z.string(),
  amount: big,
  state: z.enum(["seen", "playable", "final", "orphaned"]),
  suspense_state: z.enum(["open", "claimed", "refunded"]).nullable(),
  /** Whether its sender could claim it: what was minted has none. */
  is_claimable: z.boolean(),
  /** The player whose wallet sent it. */
  sender_player_id: id.nullable(),
  sender: z.string(),
  tx_hash: z.string(),
  block_number: big,
  posted: z.boolean(),
  created_at: moment,
});
export type ShownDeposit = z.output<typeof shown>;

// A deposit from suspense belongs to whoever claimed it.
const select = `SELECT deposit.id, coalesce(deposit.player_id, claimed_by) AS player_id, deposit.token, deposit.amount, deposit.state,
    suspense_state, suspense_cause IS DISTINCT FROM 'minted' AS is_claimable,
    (SELECT player_id FROM player_wallet WHERE address = sender) AS sender_player_id, sender, tx_hash, block_number, deposit.created_at,
    canonical AND block_number <= coalesce((SELECT safe_number FROM chain_cursor), 0) AS posted
  FROM deposit JOIN chain_log ON chain_log.id = chain_log_id`;

/** A player's, newest first, below an id. */
export async function readDepositsOf(
  db: Queryable,
  input: { playerId: string; before: string | null; limit: number },
): Promise<ShownDeposit[]> {
  const { rows } = await db.query(
    `${select} WHERE (deposit.player_id = $1 OR claimed_by = $1) AND ($2::bigint IS NULL OR deposit.id < $2)
     ORDER BY deposit.id DESC LIMIT $3`,
    [input.playerId, input.before, input.limit],
  );
  return rowsOf(shown, rows);
}

export async function readDepositsById(db: Queryable, depositIds: string[]): Promise<ShownDeposit[]> {
  const { rows } = await db.query({
    name: "read_deposits_by_id",
    text: `${select} WHERE deposit.id = ANY ($1::bigint[]) ORDER BY deposit.id`,
    values: [depositIds],
  });
  return rowsOf(shown, rows);
}

/** Everything that one transaction has brought, whosever it is. */
export async function readDepositsByTransaction(db: Queryable, txHash: string): Promise<ShownDeposit[]> {
  const { rows } = await db.query(`${select} WHERE tx_hash = $1 ORDER BY deposit.id LIMIT 100`, [txHash]);
  return rowsOf(shown, rows);
}

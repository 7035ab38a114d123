/** What happened in a player's pool, row by row. */
import { z } from "zod";
import { big, id, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const historyRow = z.object({
  id,
  at: moment,
  reason: z.string(),
  debit_kind: z.string(),
  credit_kind: z.string(),
  token: z.string(),
  amount: big,
  game_id: z.string().nullable(),
  chain_tx_hash: z.string().nullable(),
});
/** Ledger rows of a player's available and held accounts, newest first, below `before`. */
export async function readPlayerHistory(
  db: Queryable,
  input: { playerId: string; before: string | null; limit: number },
) {
  const { rows } = await db.query(
    `SELECT transfer.id, transfer.created_at AS at, transfer.reason, debit.kind AS debit_kind, credit.kind AS credit_kind,
       transfer.token, transfer.amount, coalesce(debit.game_id, credit.game_id) AS game_id,
       coalesce(chain_tx.mined_hash, inbound.tx_hash) AS chain_tx_hash
     FROM transfer
     JOIN account debit ON debit.id = debit_account_id
     JOIN account credit ON credit.id = credit_account_id
     LEFT JOIN instruction_leg ON instruction_leg.transfer_id = transfer.id AND transfer.reason IN ('withdrawal', 'payout')
     LEFT JOIN instruction_tx chain_tx ON chain_tx.instruction_id = instruction_leg.instruction_id AND chain_tx.state <> 'reverted'
     LEFT JOIN chain_log inbound ON inbound.id = CASE
       WHEN transfer.reason IN ('deposit', 'collect') AND transfer.business_key ~ '^deposit:[0-9]{1,18}:' THEN split_part(transfer.business_key, ':', 2)::bigint END
     WHERE transfer.id IN (
       SELECT id FROM transfer WHERE debit_account_id IN (SELECT id FROM account WHERE player_id = $1 AND kind <> 'player.deposit')
       UNION SELECT id FROM transfer WHERE credit_account_id IN (SELECT id FROM account WHERE player_id = $1 AND kind <> 'player.deposit'))
       AND ($2::bigint IS NULL OR transfer.id < $2)
     ORDER BY transfer.id DESC LIMIT $3`,
    [input.playerId, input.before, input.limit],
  );
  return rowsOf(historyRow, rows);
}

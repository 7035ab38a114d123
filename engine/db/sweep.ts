/** What the house has earned and where it lies. */
import { z } from "zod";
import { big, count, id, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const earned = z.object({
  game_id: z.string(),
  wallet_id: id,
  escrow: z.string(),
  frozen_reason: z.string().nullable(),
  rake: big,
  dust: big,
  state: z.string(),
  undo_until: moment.nullable(),
  open_instructions: count,
  is_covered: z.boolean(),
});
export type EarnedRow = z.output<typeof earned>;

/**
 * Escrow wallets that still hold something of the house, those settled first at the front. `open_instructions` are that
 * game's chain transfers that aren't beyond reorg; `is_covered` says that no deposit behind its stakes can vanish. With
 * `walletId` only that one.
 */
export async function readEarned(
  db: Queryable,
  { token, limit, walletId = null }: { token: string; limit: number; walletId?: string | null },
): Promise<EarnedRow[]> {
  const { rows } = await db.query(
    `SELECT game.id AS game_id, wallet.id AS wallet_id, wallet.address AS escrow, frozen_reason, earned.rake, earned.dust,
       game.state, undo_until,
       (SELECT count(*) FROM instruction WHERE instruction.game_id = game.id AND instruction.state NOT IN ('final', 'cancelled')) AS open_instructions,
       covered_at_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) AS is_covered
     FROM (SELECT account.game_id,
             sum(balance) FILTER (WHERE kind = 'house.rake') AS rake, sum(balance) FILTER (WHERE kind = 'house.dust') AS dust
           FROM account WHERE kind IN ('house.rake', 'house.dust') AND account.token = $1 AND balance > 0
           GROUP BY account.game_id) AS given (game_id, rake, dust)
       CROSS JOIN LATERAL (SELECT coalesce(given.rake, 0) AS rake, coalesce(given.dust, 0) AS dust) AS earned
       JOIN game ON game.id = given.game_id JOIN wallet ON wallet.id = escrow_wallet_id
     WHERE $3::bigint IS NULL OR wallet.id = $3
     ORDER BY settled_at, game.id LIMIT $2`,
    [token, limit, walletId],
  );
  return rowsOf(earned, rows);
}

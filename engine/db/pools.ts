import { z } from "zod";
import { big, id, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const row = z.object({
  player_id: id,
  token: z.string(),
  available: big,
  held: big,
  in_games: big,
  on_its_way: big,
  not_final: big,
});
export type PoolRow = z.output<typeof row>;

/**
 * The pools of some players, per known token or only for those asked for, in one statement. `held` is reserved by
 * offers, `in_games` staked in games that aren't over; `on_its_way` moves on the chain for the player (deposits seen but
 * not credited, payouts and withdrawals not final); `not_final` of it rests on blocks above the finalized one.
 */
export async function readPools(
  db: Queryable,
  input: { playerIds: string[]; tokens: string[] | null },
): Promise<PoolRow[]> {
  const { rows } = await db.query({
    name: "read_pools",
    text: `SELECT player.id AS player_id, token.address AS token,
             coalesce((SELECT balance FROM account WHERE kind = 'player.available' AND player_id = player.id AND account.token = token.address), 0) AS available,
             coalesce((SELECT balance FROM account WHERE kind = 'player.held' AND player_id = player.id AND account.token = token.address), 0) AS held,
             coalesce((SELECT sum(red_stake) FROM game WHERE red_player_id = player.id AND game.token = token.address AND deadline_at IS NOT NULL), 0)
               + coalesce((SELECT sum(blue_stake) FROM game WHERE blue_player_id = player.id AND game.token = token.address AND deadline_at IS NOT NULL), 0) AS in_games,
             coalesce((SELECT sum(amount) FROM deposit WHERE player_id = player.id AND deposit.token = token.address AND state = 'seen'), 0)
               + coalesce((SELECT sum(amount) FROM instruction WHERE player_id = player.id AND instruction.token = token.address
                   AND kind IN ('payout', 'withdrawal') AND state NOT IN ('final', 'cancelled')), 0) AS on_its_way,
             coalesce((SELECT sum(amount) FROM exposure WHERE player_id = player.id AND exposure.token = token.address
               AND until_block > (SELECT finalized_number FROM chain_cursor)), 0) AS not_final
           FROM unnest($1::bigint[]) AS player (id) CROSS JOIN token
           WHERE $2::text[] IS NULL OR token.address = ANY ($2) ORDER BY listed DESC, position, token.address, player.id`,
    values: [input.playerIds, input.tokens],
  });
  return rowsOf(row, rows);
}

import { z } from "zod";
import { big, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const row = z.object({ token: z.string(), amount: big, in_games: big });

/**
 * Per token what moves on the chain for a player (deposits seen but not credited, payouts and withdrawals not final),
 * and the player's stakes in games that aren't over.
 */
export async function readOnItsWay(
  db: Queryable,
  playerId: string,
): Promise<Map<string, { amount: bigint; inGames: bigint }>> {
  const { rows } = await db.query({
    name: "read_on_its_way",
    text: `SELECT token, sum(amount) AS amount, sum(in_games) AS in_games FROM (
             SELECT token, amount, 0 AS in_games FROM deposit WHERE player_id = $1 AND state = 'seen'
             UNION ALL
             SELECT token, amount, 0 FROM instruction
             WHERE player_id = $1 AND kind IN ('payout', 'withdrawal') AND state NOT IN ('final', 'cancelled')
             UNION ALL
             SELECT token, 0, red_stake FROM game WHERE red_player_id = $1 AND deadline_at IS NOT NULL
             UNION ALL
             SELECT token, 0, blue_stake FROM game WHERE blue_player_id = $1 AND deadline_at IS NOT NULL
           ) AS moving GROUP BY token`,
    values: [playerId],
  });
  return new Map(
    rowsOf(row, rows).map(({ token, amount, in_games }) => [token, { amount, inGames: in_games }]),
  );
}

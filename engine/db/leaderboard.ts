/** Who has won what, out of the settlements that stand. */
import { z } from "zod";
import { big, count, id, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const row = z.object({
  player_id: id,
  handle: z.string(),
  won: count,
  played: count,
  token: z.string(),
  net: big,
});
export type RecordRow = z.output<typeof row>;

/**
 * Per player and token: what came out of games less what went in. Games that ended in no contest, or were refunded for
 * want of a result, don't count. `won` and `played` are over all tokens; a draw is neither won nor lost, so that it isn't in `played` either,
 * though in the net. Ordered by games won less games lost, then by games played, then by id; at most `limit` players with
 * `minimumGames` games each, or one player alone.
 */
export async function readRecords(
  db: Queryable,
  input: { playerId: string | null; minimumGames: number; limit: number },
): Promise<RecordRow[]> {
  const { rows } = await db.query({
    name: "read_records",
    text: `WITH seat AS (
             SELECT red_player_id AS player_id, game.token, red_stake AS stake, (outputs->>'red')::numeric AS payout,
               (settlement.outcome = 'red')::int AS won, (settlement.outcome <> 'draw')::int AS decided
             FROM settlement JOIN game ON game.id = game_id
             WHERE undone_at IS NULL AND settlement.outcome <> 'no_contest' AND ($1::bigint IS NULL OR red_player_id = $1)
             UNION ALL
             SELECT blue_player_id, game.token, blue_stake, (outputs->>'blue')::numeric, (settlement.outcome = 'blue')::int,
               (settlement.outcome <> 'draw')::int
             FROM settlement JOIN game ON game.id = game_id
             WHERE undone_at IS NULL AND settlement.outcome <> 'no_contest' AND ($1::bigint IS NULL OR blue_player_id = $1)),
           standing AS (
             SELECT player_id, sum(won) AS won, sum(decided) AS played FROM seat
             GROUP BY player_id HAVING sum(decided) >= $2
             ORDER BY 2 * sum(won) - sum(decided) DESC, sum(decided) DESC, player_id LIMIT $3),
           net AS (SELECT player_id, seat.token, sum(payout - stake) AS net FROM seat GROUP BY player_id, seat.token)
           SELECT player_id, handle, won, played, net.token, net
           FROM standing JOIN net USING (player_id) JOIN player ON player.id = player_id JOIN token ON token.address = net.token
           ORDER BY 2 * won - played DESC, played DESC, player_id, token.listed DESC, token.position, token.address`,
    values: [input.playerId, input.minimumGames, input.limit],
  });
  return rowsOf(row, rows);
}

/** The clocks of games and offers, put later: while the books may be older than the world, nobody's time runs out. */
import { columnOf, text } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/**
 * Gives each clock of a game that has less than a part of its time left all of it again, from `at` on: the clock of a game
 * that goes on, and an undo window that was open after `since`, together with the payouts that wait for its end. Answers
 * the ids of the games. Looks at every game there is.
 * @param share above 0, at most 1
 */
export async function putGamesLater(
  db: Queryable,
  { at, since, share }: { at: Date; since: Date; share: number },
): Promise<string[]> {
  const { rows } = await db.query({
    name: "put_games_later",
    text: `WITH late AS (
             SELECT id, $1::timestamptz + allowed AS due FROM game CROSS JOIN LATERAL (
               SELECT CASE state WHEN 'playing' THEN result_due_at - expected_end_at
                 ELSE CASE state WHEN 'reported' THEN report_window_ms WHEN 'disputed' THEN dispute_window_ms ELSE undo_window_ms END
                   * interval '1 millisecond' END AS allowed) AS its
             WHERE (deadline_at IS NOT NULL OR state = 'settled' AND undo_until > settled_at AND undo_until > $2)
               AND coalesce(deadline_at, undo_until) < $1 + allowed * $3::float8
             ORDER BY id FOR UPDATE OF game),
           moved AS (
             UPDATE game SET
               expected_end_at = CASE state WHEN 'playing' THEN $1 ELSE expected_end_at END,
               result_due_at = CASE state WHEN 'playing' THEN due ELSE result_due_at END,
               report_due_at = CASE state WHEN 'reported' THEN due ELSE report_due_at END,
               dispute_due_at = CASE state WHEN 'disputed' THEN due ELSE dispute_due_at END,
               undo_until = CASE state WHEN 'settled' THEN due ELSE undo_until END,
               deadline_at = CASE state WHEN 'settled' THEN NULL ELSE due END
             FROM late WHERE game.id = late.id
             RETURNING game.id, undo_until, 'game:' || game.id || ':settlement:' || settlement_number AS cause),
           waiting AS (
             UPDATE instruction SET not_before = undo_until FROM moved
             WHERE game_id = moved.id AND instruction.cause = moved.cause AND state IN ('gathering', 'queued', 'parked') AND not_before < undo_until)
           SELECT id FROM moved`,
    values: [at, since, share],
  });
  return columnOf(text, rows);
}

/** Puts the end of every open offer later by so long; answers their ids. */
export async function putOffersLater(db: Queryable, { byMs }: { byMs: number }): Promise<string[]> {
  const { rows } = await db.query(
    `WITH open AS (SELECT id FROM proposal WHERE state = 'pending' ORDER BY id FOR UPDATE)
     UPDATE proposal SET expires_at = expires_at + $1 * interval '1 millisecond' FROM open WHERE proposal.id = open.id
     RETURNING proposal.id`,
    [byMs],
  );
  return columnOf(text, rows);
}

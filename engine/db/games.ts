/** Games: locked by id first, read afterwards, so that what was read is what the lock protects. */
import type { GameState } from "../core/game.ts";
import { deadlineOf } from "../core/game.ts";
import { big, firstCellOf, maybeMoment, rowsOf, text } from "./decode.ts";
import { type GameRecord, gameColumns, gameRecordRow, recordOf } from "./game-rows.ts";
import type { Below } from "./page.ts";
import type { Queryable, Tx } from "./pool.ts";

export type { GameRecord };

/** Locks a game; false when there is none. Read it in the next statement: this one's snapshot is older than the lock. */
export async function lockGame(tx: Tx, gameId: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "lock_game",
    text: "SELECT 1 FROM game WHERE id = $1 FOR UPDATE",
    values: [gameId],
  });
  return rowCount === 1;
}

/**
 * Locks a game whose clock has run out by `now` and answers its id; null when none waits that nobody else is at. None does
 * while the books may be older than the world: what was said since isn't in them.
 */
export async function lockDueGame(
  tx: Tx,
  { now, except }: { now: Date; except: string[] },
): Promise<string | null> {
  const { rows } = await tx.query({
    name: "lock_due_game",
    text: `SELECT id FROM game WHERE deadline_at <= $1 AND id <> ALL ($2::uuid[])
             AND NOT EXISTS (SELECT FROM recovery WHERE ended_at IS NULL)
           ORDER BY deadline_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    values: [now, except],
  });
  return firstCellOf(text, rows);
}

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

export async function insertGame(
  tx: Tx,
  input: { state: GameState; proposalId: string; escrowWalletId: string; terms: string },
): Promise<void> {
  const { state } = input;
  await tx.query({
    name: "insert_game",
    text: `INSERT INTO game (id, format, proposal_id, escrow_wallet_id, token, red_player_id, blue_player_id, red_stake, blue_stake,
             terms, referee_id, rake_bps, state, started_at, expected_end_at, result_due_at, report_window_ms, dispute_window_ms,
             undo_window_ms, deadline_at)
           VALUES ($1, 'duel', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
    values: [
      state.id,
      input.proposalId,
      input.escrowWalletId,
      state.token,
      state.red.playerId,
      state.blue.playerId,
      state.red.stake.toString(),
      state.blue.stake.toString(),
      input.terms,
      state.refereeId,
      state.rakeBps,
      state.status,
      new Date(state.startedAtMs),
      new Date(state.expectedEndAtMs),
      new Date(state.resultDueAtMs),
      state.reportWindowMs,
      state.disputeWindowMs,
      state.undoWindowMs,
      dateOf(deadlineOf(state)),
    ],
  });
}

/**
 * Notes which block must be final before what is won here may leave: the last one that anything in the pools of the two
 * rests on. Called while their accounts are locked, so that no deposit comes in between.
 */
export async function coverGame(tx: Tx, { id: gameId, red, blue, token }: GameState): Promise<void> {
  await tx.query({
    name: "cover_game",
    text: `UPDATE game SET covered_at_block = coalesce((
             SELECT max(until_block) FROM exposure WHERE player_id = ANY ($2::bigint[]) AND token = $3
               AND until_block > coalesce((SELECT finalized_number FROM chain_cursor), 0)), 0)
           WHERE id = $1`,
    values: [gameId, [red.playerId, blue.playerId], token],
  });
}

/** Writes what may change of a game; `now` is when a report or dispute that is new in it was made. */
export async function updateGame(tx: Tx, { state, now }: { state: GameState; now: Date }): Promise<void> {
  await tx.query({
    name: "update_game",
    text: `UPDATE game SET
             red_reported_at = CASE WHEN red_report IS DISTINCT FROM $3 THEN $5 ELSE red_reported_at END, red_report = $3,
             blue_reported_at = CASE WHEN blue_report IS DISTINCT FROM $4 THEN $5 ELSE blue_reported_at END, blue_report = $4,
             disputed_at = CASE WHEN $2 = 'disputed' AND state <> 'disputed' THEN $5 ELSE disputed_at END,
             state = $2, report_due_at = $6, dispute_due_at = $7, settled_at = $8, undo_until = $9, settlement_number = $10,
             deadline_at = $11
           WHERE id = $1`,
    values: [
      state.id,
      state.status,
      state.reports.red,
      state.reports.blue,
      now,
      dateOf(state.reportDueAtMs),
      dateOf(state.disputeDueAtMs),
      dateOf(state.settledAtMs),
      dateOf(state.undoUntilMs),
      state.settlementNumber,
      dateOf(deadlineOf(state)),
    ],
  });
}

// The evidence counts and the primary wallets are unique-key or indexed look-ups; `fund` is the pot's move on the chain.
const select = `SELECT ${gameColumns}, red.handle AS red_handle, blue.handle AS blue_handle, referee.handle AS referee_handle,
    red.winnings_to AS red_winnings_to, blue.winnings_to AS blue_winnings_to,
    red_wallet.address AS red_wallet, blue_wallet.address AS blue_wallet,
    (SELECT count(*) FROM evidence WHERE game_id = game.id AND player_id = red_player_id) AS red_evidence,
    (SELECT count(*) FROM evidence WHERE game_id = game.id AND player_id = blue_player_id) AS blue_evidence,
    escrow.address AS escrow_address, fund.state AS fund_state, fund.hash AS fund_hash,
    settlement.rule_version, settlement.inputs, settlement.outputs, settlement.decided_by,
    decider.handle AS decider_handle, settlement.reason AS decision_reason
  FROM game
  JOIN player red ON red.id = red_player_id JOIN player blue ON blue.id = blue_player_id
  LEFT JOIN player referee ON referee.id = game.referee_id
  LEFT JOIN player_wallet red_wallet ON red_wallet.player_id = red.id AND red_wallet.is_primary
  LEFT JOIN player_wallet blue_wallet ON blue_wallet.player_id = blue.id AND blue_wallet.is_primary
  JOIN wallet escrow ON escrow.id = escrow_wallet_id
  LEFT JOIN settlement ON settlement.game_id = game.id AND settlement.undone_at IS NULL
  LEFT JOIN player decider ON decider.id = settlement.decided_by_player_id
  LEFT JOIN LATERAL (
    SELECT instruction.state, coalesce(chain_tx.mined_hash,
      (SELECT attempt.hash FROM attempt WHERE attempt.chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1)) AS hash
    FROM instruction LEFT JOIN instruction_tx chain_tx ON chain_tx.instruction_id = instruction.id AND chain_tx.state <> 'reverted'
    WHERE instruction.game_id = game.id AND instruction.kind = 'fund' ORDER BY instruction.id LIMIT 1) fund ON true`;
const recordsOf = (rows: unknown[]): GameRecord[] => rowsOf(gameRecordRow, rows).map(recordOf);

/** Those of the ids that exist, in no particular order. */
export async function readGames(db: Queryable, ids: string[]): Promise<GameRecord[]> {
  const { rows } = await db.query({
    name: "read_games",
    text: `${select} WHERE game.id = ANY ($1::uuid[])`,
    values: [ids],
  });
  return recordsOf(rows);
}

const lists = {
  /** Everything that a player plays or has played. */
  player: "(game.red_player_id = $1 OR game.blue_player_id = $1)",
  underWay: "$1::bigint IS NULL AND game.deadline_at IS NOT NULL",
  over: "$1::bigint IS NULL AND game.deadline_at IS NULL",
  disputed: "$1::bigint IS NULL AND game.state = 'disputed' AND game.deadline_at IS NOT NULL",
} as const;

/** Games of a list, latest start first, below a place in it. Only the player's list is somebody's. */
export async function listGames(
  db: Queryable,
  input: { list: keyof typeof lists; playerId: string | null; below: Below | null; limit: number },
): Promise<GameRecord[]> {
  const { rows } = await db.query({
    name: `list_games_${input.list}`,
    text: `${select} WHERE ${lists[input.list]} AND ($2::timestamptz IS NULL
             OR game.started_at <= $2 AND (game.started_at < $2 OR game.id > $3::uuid))
           ORDER BY game.started_at DESC, game.id LIMIT $4`,
    values: [input.playerId, input.below?.at ?? null, input.below?.id ?? null, input.limit],
  });
  return recordsOf(rows);
}

/** The game a player is in, or else the last one; null when there was none. */
export async function readCurrentGame(db: Queryable, playerId: string): Promise<GameRecord | null> {
  const { rows } = await db.query({
    name: "read_current_game",
    text: `${select} WHERE red_player_id = $1 OR blue_player_id = $1
           ORDER BY (game.deadline_at IS NOT NULL) DESC, game.started_at DESC, game.id LIMIT 1`,
    values: [playerId],
  });
  return recordsOf(rows)[0] ?? null;
}

/** The next moment at which a game's clock runs out; null while none runs. */
export async function readNextDeadline(db: Queryable): Promise<Date | null> {
  const { rows } = await db.query("SELECT min(deadline_at) AS at FROM game WHERE deadline_at IS NOT NULL");
  return firstCellOf(maybeMoment, rows);
}

/** What the chain holds in a game's wallet by the logs that we have seen; null while no block has been handled yet. */
export async function readEscrowOnChain(
  db: Queryable,
  { gameId, token }: { gameId: string; token: string },
): Promise<bigint | null> {
  const { rows } = await db.query(
    `SELECT coalesce((SELECT sum(amount) FROM chain_log WHERE recipient_wallet_id = wallet.id AND token = $2 AND canonical), 0)
       - coalesce((SELECT sum(amount) FROM chain_log WHERE sender_wallet_id = wallet.id AND token = $2 AND canonical), 0) AS amount
     FROM wallet WHERE game_id = $1 AND EXISTS (SELECT FROM chain_cursor)`,
    [gameId, token],
  );
  return firstCellOf(big, rows);
}

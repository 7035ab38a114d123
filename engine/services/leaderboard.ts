/** Who is up, and what there is to know of one player. */
import type { z } from "zod";
import { type Result, reject } from "../contract/problems.ts";
import type { leaderboard, leaderboardRow, playerPage } from "../contract/wager.ts";
import { listGames } from "../db/games.ts";
import { type RecordRow, readRecords } from "../db/leaderboard.ts";
import { readPlayerByHandle } from "../db/players.ts";
import { listProposals } from "../db/proposal-reads.ts";
import type { Token } from "../db/tokens.ts";
import type { Context } from "./context.ts";
import { viewRecords } from "./game-view.ts";
import { keptFor } from "./kept.ts";
import { proposalView } from "./proposal-view.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

/** Games won or lost: below it a record is luck. Printed on the board. */
export const minimumGames = 3;
const mostRows = 100;
/** The board sums every settlement there ever was, so that it is summed at most as often as this. */
const keptMs = 5_000;

type Board = z.infer<typeof leaderboard>;
const readBoard = keptFor(keptMs, async ({ pool }): Promise<Board> => {
  const tokens = await knownTokens(pool);
  const rows = await readRecords(pool, { playerId: null, minimumGames, limit: mostRows });
  return { minimumGames, rows: recordsOf(tokens, rows) };
});

/** The board, at most five seconds old: won less lost first, net per token beside it. */
export const readLeaderboard = async (context: Context): Promise<Result<Board>> => ({
  ok: true,
  value: await readBoard(context),
});

/** A player's record, open offers and latest games. @returns `player_unknown` */
export async function readPlayerPage(
  context: Context,
  handle: string,
): Promise<Result<z.infer<typeof playerPage>>> {
  const { pool } = context;
  const player = await readPlayerByHandle(pool, handle);
  if (player === null) return reject("player_unknown", { message: `No one here is called ${handle}.` });
  const tokens = await knownTokens(pool);
  const playerId = player.id;
  const records = await readRecords(pool, { playerId, minimumGames: 0, limit: 1 });
  const now = new Date(context.clock());
  const offers = await listProposals(pool, { playerId, box: "open", below: null, limit: 25, now });
  const games = await listGames(pool, { list: "player", playerId, below: null, limit: 25 });
  return {
    ok: true,
    value: {
      player: { id: player.id, handle: player.handle },
      since: player.created_at.toISOString(),
      record: recordsOf(tokens, records)[0] ?? null,
      offers: offers.map((row) => proposalView(tokens, row)),
      games: await viewRecords(context, pool, games),
    },
  };
}

function recordsOf(tokens: ReadonlyMap<string, Token>, rows: RecordRow[]): z.infer<typeof leaderboardRow>[] {
  const records = new Map<string, z.infer<typeof leaderboardRow>>();
  for (const { player_id, handle, won, played, token, net } of rows) {
    const record = records.get(player_id) ?? { player: { id: player_id, handle }, won, played, net: [] };
    record.net.push({
      sign: net === 0n ? "even" : net > 0n ? "up" : "down",
      money: moneyOf(tokens, token, net < 0n ? -net : net),
    });
    records.set(player_id, record);
  }
  return [...records.values()];
}

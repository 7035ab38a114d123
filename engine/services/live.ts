/** What a live page or an overlay shows: one game, or whatever a player is in now. */
import { type Result, reject } from "../contract/problems.ts";
import type { LiveRoom } from "../contract/wager.ts";
import { readCurrentGame } from "../db/games.ts";
import { readRoomSequence } from "../db/outbox.ts";
import { readPlayer, readPlayerByHandle } from "../db/players.ts";
import { snapshot, type Tx } from "../db/pool.ts";
import { listProposals } from "../db/proposal-reads.ts";
import type { Context } from "./context.ts";
import { viewGames, viewRecords } from "./game-view.ts";
import { rooms } from "./outbox.ts";
import { proposalView } from "./proposal-view.ts";
import { knownTokens } from "./tokens.ts";

const gameIdPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A row's id is a bigint of Postgres; a room's name may hold more. */
const largestRowId = 2n ** 63n - 1n;

/**
 * A room by the name that people use: a game's id or a player's handle, with or without its @.
 * @returns `not_found`, or `player_unknown`
 */
export async function readLive(context: Context, room: string): Promise<Result<LiveRoom>> {
  if (gameIdPattern.test(room)) return readGameRoom(context, room);
  const player = await readPlayerByHandle(context.pool, room.startsWith("@") ? room.slice(1) : room);
  if (player === null) return reject("player_unknown", { message: `No one here is called ${room}.` });
  const live = await readLiveRoom(context, player.id);
  return live === null ? reject("player_unknown") : { ok: true, value: live };
}

/** The room that follows a player (`live:<player id>`), its state and its number of one moment; null without a player. */
export async function readLiveRoom(context: Context, playerId: string): Promise<LiveRoom | null> {
  if (BigInt(playerId) > largestRowId) return null;
  return snapshot(context.pool, async (tx) => {
    const player = await readPlayer(tx, playerId);
    if (player === null) return null;
    const game = await readCurrentGame(tx, playerId);
    const [view = null] = game === null ? [] : await viewRecords(context, tx, [game]);
    return {
      room: rooms.live(playerId),
      player: { id: player.id, handle: player.handle },
      offer: await readOffer(context, tx, playerId),
      game: view,
      sequence: await readRoomSequence(tx, rooms.live(playerId)),
    };
  });
}

async function readGameRoom(context: Context, gameId: string): Promise<Result<LiveRoom>> {
  return snapshot(context.pool, async (tx) => {
    const [game] = await viewGames(context, tx, [gameId]);
    if (game === undefined) return reject("not_found");
    const room = rooms.game(gameId);
    const sequence = await readRoomSequence(tx, room);
    return { ok: true, value: { room, player: null, offer: null, game, sequence } };
  });
}

/** The latest open offer from or to a player. */
async function readOffer(context: Context, tx: Tx, playerId: string): Promise<LiveRoom["offer"]> {
  const tokens = await knownTokens(context.pool);
  const now = new Date(context.clock());
  const [row] = await listProposals(tx, { playerId, box: "open", below: null, limit: 1, now });
  return row === undefined ? null : proposalView(tokens, row);
}

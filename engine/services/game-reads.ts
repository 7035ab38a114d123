/** Games, read: one of them, a player's, and the parts of one that have a page of their own. */
import type { z } from "zod";
import { type Result, reject } from "../contract/problems.ts";
import type { Game, gamePool, gameWallet, Payout } from "../contract/wager.ts";
import { oddsOf } from "../core/money.ts";
import { type GameRecord, readEscrowOnChain, readGames, listGames as readList } from "../db/games.ts";
import type { Context } from "./context.ts";
import { pageOf, placeOf } from "./cursor.ts";
import { viewGames, viewRecords } from "./game-view.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns `not_found`, for what can't be an id as well */
export async function readGame(context: Context, gameId: string): Promise<Result<Game>> {
  if (!idPattern.test(gameId)) return reject("not_found");
  const [game] = await viewGames(context, context.pool, [gameId]);
  return game === undefined ? reject("not_found") : { ok: true, value: game };
}

/** A page of a player's own games, latest first. */
export async function listGames(
  context: Context,
  query: { by: string; cursor?: string | undefined; limit: number },
): Promise<Result<{ items: Game[]; nextCursor: string | null }>> {
  const below = query.cursor === undefined ? null : placeOf(query.cursor);
  if (below === null && query.cursor !== undefined) return reject("request_invalid", { field: "cursor" });
  const records = await readList(context.pool, {
    list: "player",
    playerId: query.by,
    below,
    limit: query.limit + 1,
  });
  const { items, nextCursor } = pageOf(records, query.limit, {
    place: ({ state }) => ({ at: new Date(state.startedAtMs), id: state.id }),
    item: (record: GameRecord) => record,
  });
  return { ok: true, value: { items: await viewRecords(context, context.pool, items), nextCursor } };
}

/** Open disputes, the one that is due first at the front, at most 200. */
export async function listDisputes(
  context: Context,
): Promise<{ items: { game: Game; openedAt: string; dueAt: string }[] }> {
  const records = await readList(context.pool, { list: "disputed", playerId: null, below: null, limit: 200 });
  const games = await viewRecords(context, context.pool, records);
  const items = records.flatMap(({ disputedAt }, index) => {
    const game = games[index];
    if (game?.deadline == null || disputedAt === null) return [];
    return [{ game, openedAt: disputedAt.toISOString(), dueAt: game.deadline.at }];
  });
  return { items: items.sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1)) };
}

/** The game's own wallet: how its funding goes, what belongs in it, and what the chain holds there. */
export async function readGameWallet(
  context: Context,
  gameId: string,
): Promise<Result<z.infer<typeof gameWallet>>> {
  const game = await readGame(context, gameId);
  if (!game.ok) return game;
  const { escrow, pot } = game.value;
  const onChain = await readEscrowOnChain(context.pool, { gameId, token: pot.token });
  const tokens = await knownTokens(context.pool);
  const value = { escrow, pot, onChain: onChain === null ? null : moneyOf(tokens, pot.token, onChain) };
  return { ok: true, value };
}

/** What each side has in, and the odds that this makes, red first: "5–1". */
export async function readGamePool(
  context: Context,
  gameId: string,
): Promise<Result<z.infer<typeof gamePool>>> {
  const [record] = await readGames(context.pool, [gameId]);
  if (record === undefined) return reject("not_found");
  const { red, blue, token } = record.state;
  const tokens = await knownTokens(context.pool);
  const money = (amount: bigint) => moneyOf(tokens, token, amount);
  return {
    ok: true,
    value: {
      red: money(red.stake),
      blue: money(blue.stake),
      pot: money(red.stake + blue.stake),
      odds: oddsOf(red.stake, blue.stake),
    },
  };
}

/** Who was paid what, and how far it has come. Empty until the game is over. */
export async function readPayouts(context: Context, gameId: string): Promise<Result<{ items: Payout[] }>> {
  const game = await readGame(context, gameId);
  return game.ok ? { ok: true, value: { items: game.value.payouts } } : game;
}

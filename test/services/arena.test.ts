import { afterAll, beforeAll, expect, test } from "vitest";
import { leaderboard, listings, liveRoom, playerPage } from "../../engine/contract/wager.ts";
import { readListings } from "../../engine/services/arena.ts";
import { minimumGames, readLeaderboard, readPlayerPage } from "../../engine/services/leaderboard.ts";
import { readLive, readLiveRoom } from "../../engine/services/live.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { takeNextEvents } from "../helpers/events.ts";
import {
  codeOf,
  createWorld,
  dollars,
  offerBy,
  openwork,
  report,
  startGame,
  usdc,
  value,
  type World,
} from "./wager-world.ts";

let world: World;
let marcus: string;
let dana: string;
beforeAll(async () => {
  world = await createWorld();
  const money = { [usdc]: dollars(1_000), [openwork]: 10n ** 21n };
  marcus = await world.addPlayer("Marcus", money);
  dana = await world.addPlayer("Dana", money);
});
afterAll(async () => {
  await world.expectBooksToBalance();
  await world.end();
});
/** The board is kept for five seconds. */
const later = () => {
  world.time.nowMs += 5_000;
};
const play = async (outcome: "red" | "blue" | "draw" | "no_contest", token = usdc) => {
  const gameId = await startGame(world, { red: marcus, blue: dana, token });
  for (const by of [marcus, dana]) value(await report(world.context, by, gameId, outcome));
  return gameId;
};

test("the board counts what came out less what went in, per token, from the games that count", async () => {
  const start = leaderboard.parse(value(await readLeaderboard(world.context)));
  expect(start).toEqual({ minimumGames, rows: [] });
  await play("red");
  await play("red");
  // Neither won nor lost: it brings nobody to the board and stands in nobody's count.
  await play("draw");
  later();
  expect(value(await readLeaderboard(world.context)).rows).toEqual([]);
  await play("no_contest");
  await play("blue", openwork);
  const old = value(await readLeaderboard(world.context));
  expect(old.rows).toEqual([]);
  later();
  const board = leaderboard.parse(value(await readLeaderboard(world.context)));
  expect(board.rows).toMatchObject([
    {
      player: { id: marcus, handle: "Marcus" },
      won: 2,
      played: 3,
      net: [
        { sign: "down", money: { token: openwork, amount: "50000000" } },
        // 50 to 10 twice: 10 less 3 cut.
        { sign: "up", money: { token: usdc, amount: "14000000" } },
      ],
    },
    {
      player: { id: dana },
      won: 1,
      played: 3,
      net: [
        { sign: "up", money: { token: openwork, amount: "47000000" } },
        { sign: "down", money: { token: usdc, amount: "20000000" } },
      ],
    },
  ]);
});

test("the feed shows open offers, games under way and what has just ended, in a fixed number of statements", async () => {
  const statements = async () => {
    const { query } = world.context.pool;
    let count = 0;
    world.context.pool.query = ((...given: Parameters<typeof query>) => {
      count += 1;
      return query.apply(world.context.pool, given);
    }) as typeof query;
    value(await readListings(world.context));
    world.context.pool.query = query;
    return count;
  };
  const offer = value(await proposals.propose(world.context, offerBy(marcus, { proposerStake: 1n })));
  await proposals.propose(
    world.context,
    offerBy(marcus, { proposerStake: 1n, opponent: { handle: "dana" } }),
  );
  const underWay = await startGame(world, { red: marcus, blue: dana, proposerStake: 2n, takerStake: 1n });
  const few = await statements();
  const feed = listings.parse(value(await readListings(world.context)));
  expect(feed.offers.map(({ id }) => id)).toEqual([offer.id]);
  expect(feed.games.map(({ id }) => id)).toEqual([underWay]);
  expect(feed.settled).toHaveLength(5);
  for (let index = 0; index < 10; index += 1) {
    await startGame(world, { red: marcus, blue: dana, proposerStake: 2n, takerStake: 1n });
  }
  expect(await statements()).toBe(few);
});

test("a live room follows its player, and its number is that of the last event that it shows", async () => {
  expect(codeOf(await readLive(world.context, "nobody_here"))).toBe("player_unknown");
  expect(codeOf(await readLive(world.context, "00000000-0000-4000-8000-000000000000"))).toBe("not_found");
  expect(await readLiveRoom(world.context, "9999999999999999999")).toBeNull();
  await takeNextEvents(world.context, 10_000);
  world.time.nowMs += 1;
  const gameId = await startGame(world, { red: dana, blue: marcus, proposerStake: 2n, takerStake: 1n });
  const before = liveRoom.parse(value(await readLive(world.context, "@MARCUS")));
  expect(before).toMatchObject({
    room: `live:${marcus}`,
    player: { id: marcus },
    game: { id: gameId, state: "playing" },
  });
  const told = (await takeNextEvents(world.context, 10_000)).filter(({ room }) => room === `live:${marcus}`);
  const after = value(await readLive(world.context, "marcus"));
  expect(after.sequence).toBe(told.at(-1)?.sequence);
  expect(after.sequence).toBe(before.sequence + told.length);
  expect(value(await readLive(world.context, gameId))).toMatchObject({
    room: `game:${gameId}`,
    player: null,
    game: { id: gameId },
  });
});

test("a player's page shows the record, the open offers and the latest games", async () => {
  const page = playerPage.parse(value(await readPlayerPage(world.context, "dana")));
  expect(page).toMatchObject({ player: { id: dana, handle: "Dana" }, record: { won: 1, played: 3 } });
  expect(page.offers.every(({ taker, proposer }) => taker?.id === dana || proposer.id === dana)).toBe(true);
  expect(page.games.length).toBeGreaterThan(10);
  const unplayed = await world.addPlayer("unplayed", {});
  expect(value(await readPlayerPage(world.context, "unplayed"))).toMatchObject({
    player: { id: unplayed },
    record: null,
    offers: [],
    games: [],
  });
});

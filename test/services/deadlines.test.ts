import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { nextDeadlineMs, runDueDeadlines } from "../../engine/services/deadlines.ts";
import * as games from "../../engine/services/games.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { startDeadlines } from "../../engine/workers/deadlines.ts";
import { waitFor } from "../helpers/wait.ts";
import {
  codeOf,
  createWorld,
  dollars,
  keyFor,
  offerBy,
  report,
  startGame,
  value,
  type World,
} from "./wager-world.ts";

let world: World;
let red: string;
let blue: string;
let serial = 0;
const newPair = async () => {
  serial += 1;
  red = await world.addPlayer(`red_${serial}`);
  blue = await world.addPlayer(`blue_${serial}`);
};
const minute = 60_000;
const run = (limit = 100) => runDueDeadlines(world.context, { limit });
const stateOf = async (gameId: string) => value(await games.readGame(world.context, gameId)).state;

beforeAll(async () => {
  world = await createWorld();
});
afterEach(async () => {
  // Nothing of one test is due in the next.
  world.time.nowMs += 365 * 24 * 60 * minute;
  while ((await run()) > 0);
  await world.expectBooksToBalance();
});
afterAll(() => world.end());

describe("an offer", () => {
  test("lapses on the millisecond, gives its stake back, and is told as lapsed", async () => {
    await newPair();
    const offer = value(await proposals.propose(world.context, offerBy(red, { lapseSeconds: 60 })));
    world.time.nowMs += minute - 1;
    expect(await run()).toBe(0);
    expect((await world.poolOf(red)).held).toBe(dollars(50));
    world.time.nowMs += 1;
    expect(await run()).toBe(1);
    expect(await run()).toBe(0);
    expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
    expect(value(await proposals.readProposal(world.context, offer.id)).state).toBe("expired");
    const [told] = await world.rows(
      "SELECT rooms, data FROM outbox WHERE name = 'proposal:update' ORDER BY id DESC LIMIT 1",
    );
    expect(told).toMatchObject({
      rooms: [`player:${red}`, `live:${red}`, "arena"],
      data: { proposal: { id: offer.id, state: "expired" } },
    });
    expect(
      codeOf(
        await proposals.accept(world.context, { by: blue, idempotency: keyFor(blue), proposalId: offer.id }),
      ),
    ).toBe("proposal_not_pending");
  });
});

describe("a game", () => {
  test("that somebody else is at holds up no other", async () => {
    await newPair();
    const first = await startGame(world, { red, blue, expectedMinutes: 10 });
    await newPair();
    const second = await startGame(world, { red, blue, expectedMinutes: 11 });
    world.time.nowMs += 200 * minute;
    const elsewhere = await world.context.pool.connect();
    await elsewhere.query("BEGIN");
    await elsewhere.query("SELECT FROM game WHERE id = $1 FOR UPDATE", [first]);
    let handled: number | null = null;
    const running = run().then((count) => (handled = count));
    await waitFor(() => handled !== null, { what: "the one that is free", timeoutMs: 5_000 });
    expect([handled, await stateOf(first), await stateOf(second)]).toEqual([1, "playing", "refunded"]);
    await elsewhere.query("COMMIT");
    elsewhere.release();
    await running;
    expect(await run()).toBe(1);
  });

  test("that nobody reports is refunded two hours after its expected end, without a cut", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue, expectedMinutes: 10 });
    world.time.nowMs += 130 * minute - 1;
    expect(await run()).toBe(0);
    expect(await stateOf(gameId)).toBe("playing");
    world.time.nowMs += 1;
    // From here on only the clock decides.
    expect(codeOf(await report(world.context, red, gameId, "red"))).toBe("game_not_open");
    expect(await run()).toBe(1);
    expect(value(await games.readGame(world.context, gameId))).toMatchObject({
      state: "refunded",
      outcome: "no_contest",
      payouts: [
        { player: { id: red }, money: { amount: "50000000" }, to: "pool" },
        { player: { id: blue }, money: { amount: "10000000" }, to: "pool" },
      ],
    });
    expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
    expect(value(await games.readReceipt(world.context, gameId)).decidedBy).toBe("nobody_reported");
  });

  test("that one side reports is settled so when the other side's clock runs out", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue, expectedMinutes: 1 });
    world.time.nowMs += 5 * minute;
    value(await report(world.context, blue, gameId, "blue"));
    world.time.nowMs += 30 * minute - 1;
    expect(await run()).toBe(0);
    world.time.nowMs += 1;
    expect(codeOf(await report(world.context, red, gameId, "red"))).toBe("game_not_open");
    expect(await run()).toBe(1);
    expect(await stateOf(gameId)).toBe("settled");
    expect(await world.poolOf(blue)).toEqual({ available: dollars(147), held: 0n });
    const { decidedBy } = value(await games.readReceipt(world.context, gameId));
    expect(decidedBy).toBe("clock");
  });

  test("that is reported before its expected end gives the other side its clock from then on", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue, expectedMinutes: 600 });
    value(await report(world.context, blue, gameId, "blue"));
    world.time.nowMs += 630 * minute - 1;
    expect(await run()).toBe(0);
    value(await report(world.context, red, gameId, "blue"));
  });

  test("in dispute is refunded when nobody decides it", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue });
    value(await report(world.context, red, gameId, "red"));
    value(await report(world.context, blue, gameId, "blue"));
    world.time.nowMs += 24 * 60 * minute - 1;
    expect(await run()).toBe(0);
    world.time.nowMs += 1;
    expect(await run()).toBe(1);
    expect(await stateOf(gameId)).toBe("refunded");
    expect(value(await games.readReceipt(world.context, gameId)).decidedBy).toBe("dispute_clock");
    expect(await world.poolOf(blue)).toEqual({ available: dollars(100), held: 0n });
  });
});

describe("many that are due", () => {
  test("are handled once each by four workers of two processes, and no run goes beyond its limit", async () => {
    await newPair();
    const gameIds: string[] = [];
    for (let index = 0; index < 20; index += 1) {
      gameIds.push(await startGame(world, { red, blue, proposerStake: 2n, takerStake: 1n }));
      value(await proposals.propose(world.context, offerBy(red, { proposerStake: 1n })));
    }
    world.time.nowMs += 24 * 60 * minute;
    expect(await run(3)).toBe(3);
    const handled = await Promise.all(
      [world.context, world.other, world.context, world.other].map((context) =>
        runDueDeadlines(context, { limit: 100 }),
      ),
    );
    expect(handled.reduce((sum, each) => sum + each, 3)).toBe(40);
    expect(new Set(await Promise.all(gameIds.map(stateOf)))).toEqual(new Set(["refunded"]));
    expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
  });

  test("don't wait for one that can't be handled", async () => {
    await newPair();
    const broken = await startGame(world, { red, blue, proposerStake: 2n, takerStake: 1n });
    world.time.nowMs += 1;
    const whole = await startGame(world, { red, blue, proposerStake: 2n, takerStake: 1n });
    value(await proposals.propose(world.context, offerBy(red, { proposerStake: 1n })));
    // More than is in its wallet.
    await world.rows("UPDATE game SET red_stake = 3 WHERE id = $1", [broken]);
    world.time.nowMs += 24 * 60 * minute;
    expect(await run()).toBe(2);
    expect([await stateOf(broken), await stateOf(whole)]).toEqual(["playing", "refunded"]);
    await world.rows("UPDATE game SET red_stake = 2 WHERE id = $1", [broken]);
    world.time.nowMs += minute;
    expect(await run()).toBe(1);
    expect(await stateOf(broken)).toBe("refunded");
  });

  test("don't lose their turn to as many that can't be handled as are looked at in one go", async () => {
    await newPair();
    const broken: string[] = [];
    for (let index = 0; index < 3; index += 1)
      broken.push(await startGame(world, { red, blue, proposerStake: 2n, takerStake: 1n }));
    world.time.nowMs += 1;
    const whole = await startGame(world, { red, blue, proposerStake: 2n, takerStake: 1n });
    await world.rows("UPDATE game SET red_stake = 3 WHERE id = ANY ($1::uuid[])", [broken]);
    world.time.nowMs += 24 * 60 * minute;
    expect(await run(3)).toBe(0);
    expect(await run(3)).toBe(1);
    expect(await stateOf(whole)).toBe("refunded");
    await world.rows("UPDATE game SET red_stake = 2 WHERE id = ANY ($1::uuid[])", [broken]);
  });
});

test("the worker sleeps until the next clock, handles it, and ends when told to", async () => {
  await newPair();
  expect(await nextDeadlineMs(world.context)).toBeNull();
  const offer = value(await proposals.propose(world.context, offerBy(red, { lapseSeconds: 60 })));
  expect(await nextDeadlineMs(world.context)).toBe(Date.parse(offer.expiresAt));
  const stopping = new AbortController();
  const done = startDeadlines(world.context, { signal: stopping.signal });
  world.time.nowMs += minute;
  await waitFor(async () => (await world.poolOf(red)).held === 0n, { what: "the offer to lapse" });
  stopping.abort();
  await done;
});

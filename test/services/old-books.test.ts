import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { transaction } from "../../engine/db/pool.ts";
import { beginRecovery, readRecovery } from "../../engine/db/recovery.ts";
import { keepGamesOpen } from "../../engine/services/clocks.ts";
import { runDueDeadlines } from "../../engine/services/deadlines.ts";
import * as games from "../../engine/services/games.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import {
  codeOf,
  createWorld,
  dollars,
  keyFor,
  offerBy,
  report,
  settings,
  startGame,
  usdc,
  value,
  type World,
} from "./wager-world.ts";

let world: World;
let red: string;
let blue: string;
let serial = 0;
const minute = 60_000;
const { clocks } = settings;
const head = 100;

const setRecovery = (untilBlock: number | null) =>
  world.rows("UPDATE recovery SET until_block = $1 WHERE ended_at IS NULL", [untilBlock]);
/** As if a copy had just been brought back, and no process had started on it yet. */
const bringBack = () => world.rows("INSERT INTO recovery (cause, from_block) VALUES ('a restore', 0)");
const begin = () => transaction(world.context.pool, (tx) => beginRecovery(tx, { cause: "a restore" }));
const end = () =>
  world.rows(
    "UPDATE recovery SET ended_at = now(), ended_by = 'test', end_reason = 'test' WHERE ended_at IS NULL",
  );
const keepOpen = () =>
  transaction(world.context.pool, async (tx) => {
    const standing = await readRecovery(tx);
    if (standing === null) throw new Error("no recovery stands");
    await keepGamesOpen(world.context, tx, standing);
  });
const run = () =>
  Promise.all([world.context, world.other].map((context) => runDueDeadlines(context, { limit: 100 })));
const read = async (gameId: string) => value(await games.readGame(world.context, gameId));

beforeAll(async () => {
  world = await createWorld();
  await world.rows(
    `INSERT INTO chain_cursor (chain_id, head_number, head_hash, head_stamped_at, safe_number, finalized_number)
     VALUES (8453, $1, $2, now(), $1, $1)`,
    [head, `0x${"1".repeat(64)}`],
  );
});
afterEach(async () => {
  await end();
  await world.expectBooksToBalance();
});
afterAll(() => world.end());
const newPair = async () => {
  serial += 1;
  red = await world.addPlayer(`red_${serial}`);
  blue = await world.addPlayer(`blue_${serial}`);
  // The database's own, which a recovery begins by.
  world.time.nowMs = Date.now();
};

describe("while the books may be older than the world", () => {
  test("no clock ends a game or an offer, and who wasn't heard can still say how it ended", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue, expectedMinutes: 1 });
    value(await report(world.context, red, gameId, "red"));
    const silent = await startGame(world, { red: blue, blue: red, expectedMinutes: 1 });
    const offer = value(await proposals.propose(world.context, offerBy(blue, { proposerStake: 1n })));
    world.time.nowMs += 24 * 60 * minute;
    await bringBack();
    expect(await run()).toEqual([0, 0]);
    expect([(await read(gameId)).state, (await read(silent)).state]).toEqual(["reported", "playing"]);
    expect(value(await proposals.readProposal(world.context, offer.id)).state).toBe("pending");

    expect(codeOf(await report(world.context, blue, gameId, "blue"))).toBe("game_not_open");
    await keepOpen();
    const dueAfter = (ms: number) => new Date(world.time.nowMs + ms).toISOString();
    expect((await read(gameId)).deadline?.at).toBe(dueAfter(clocks.reportWindowMs));
    expect(await read(silent)).toMatchObject({
      expectedEndAt: dueAfter(0),
      deadline: { at: dueAfter(clocks.resultGraceMs) },
    });
    const [told] = await world.rows(
      "SELECT data FROM outbox WHERE name = 'game:update' AND data->'game'->>'id' = $1 ORDER BY id DESC LIMIT 1",
      [gameId],
    );
    expect(told).toMatchObject({
      data: { game: { deadline: { at: dueAfter(clocks.reportWindowMs) } } },
    });
    // Time is given anew only when half of it is over.
    const given = (await read(gameId)).deadline;
    world.time.nowMs += clocks.reportWindowMs / 2;
    await keepOpen();
    expect((await read(gameId)).deadline).toEqual(given);
    value(await report(world.context, blue, gameId, "blue"));
    world.time.nowMs += clocks.disputeWindowMs;
    await keepOpen();
    expect((await read(gameId)).deadline?.at).toBe(dueAfter(clocks.disputeWindowMs));

    world.time.nowMs += clocks.disputeWindowMs;
    await end();
    expect((await run()).reduce((sum, each) => sum + each)).toBe(3);
  });

  test("a settlement that could be undone when they end stays so, once the balances are known", async () => {
    await newPair();
    const by = await world.addPlayer("olga", {});
    const [address] = [...settings.operatorAddresses];
    await world.rows("INSERT INTO player_wallet (address, player_id, is_primary) VALUES ($1, $2, true)", [
      address,
      by,
    ]);
    const undo = (gameId: string) => games.undo(world.context, { by, gameId, reason: "So it was." });
    const settle = async () => {
      const gameId = await startGame(world, { red, blue, expectedMinutes: 1, proposerStake: dollars(10) });
      value(await report(world.context, red, gameId, "red"));
      world.time.nowMs += clocks.reportWindowMs + minute;
      await run();
      return gameId;
    };
    world.time.nowMs -= 3 * clocks.reportWindowMs;
    const longOver = await settle();
    const agreed = await startGame(world, { red, blue, proposerStake: dollars(10) });
    const gameId = await settle();
    for (const player of [red, blue]) value(await report(world.context, player, agreed, "red"));
    await world.rows("UPDATE chain_cursor SET moved_at = $1", [new Date(world.time.nowMs - 1)]);
    world.time.nowMs = Date.now();
    expect(codeOf(await undo(gameId))).toBe("undo_window_closed");

    expect(await begin()).toBe(true);
    const { undoUntil } = await read(gameId);
    expect(Date.parse(undoUntil ?? "")).toBeGreaterThanOrEqual(world.time.nowMs + clocks.undoWindowMs);
    const waiting = await world.rows(
      "SELECT DISTINCT not_before FROM instruction WHERE game_id = $1 AND kind <> 'fund'",
      [gameId],
    );
    expect(waiting).toEqual([{ not_before: new Date(undoUntil ?? "") }]);
    for (const over of [longOver, agreed]) expect(codeOf(await undo(over))).toBe("undo_window_closed");
    expect(codeOf(await undo(gameId))).toBe("switched_off");
    await setRecovery(head);
    value(await undo(gameId));
  });

  test("a pool is neither withdrawn from before the chain is read again, nor played with at all", async () => {
    await newPair();
    const address = `0x${String(serial).padStart(40, "0")}`;
    await world.rows("INSERT INTO player_wallet (address, player_id, is_primary) VALUES ($1, $2, true)", [
      address,
      red,
    ]);
    const ask = () =>
      withdraw(world.context, { by: red, token: usdc, amount: 60n, address, idempotency: keyFor(red) });
    await bringBack();
    expect(await ask()).toMatchObject({
      rejection: { code: "switched_off", message: expect.stringContaining("read again") },
    });
    await setRecovery(head + 1);
    expect(codeOf(await ask())).toBe("switched_off");
    await setRecovery(head);
    expect(codeOf(await ask())).toBe("ok");
    expect(codeOf(await proposals.propose(world.context, offerBy(red)))).toBe("switched_off");
    await end();
    expect(codeOf(await ask())).toBe("ok");
  });
});

/** One log of a real node that comes by every way at once, many times, to two processes that write into the same books. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockCursor, readCursor } from "../../engine/db/cursor.ts";
import { transaction } from "../../engine/db/pool.ts";
import { loader } from "../../scripts/local/loader.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createMoneyWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { finalize, freeOf } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import type { ReadAgain, Said, TellingProcessFacts, Way } from "./telling-process.ts";

const ways: Way[] = ["subscription", "poll", "backfill", "rescan"];
const processes = 2;
/** By each way in each process: more than fifty in all. */
const times = 7;
const patience = { timeoutMs: 40_000 };

let world: MoneyWorld;
beforeEach(async () => {
  world = await createMoneyWorld();
});
afterEach(() => world.stop());

/** A process that tells, and what it has said, once it follows from where the books stand. It ends with the world. */
async function startTelling() {
  const { rpcUrl, wsUrl, openwork, usdc } = world.base;
  const facts: TellingProcessFacts = {
    ...{ databaseUrl: world.database.appUrl, rpcUrl, wsUrl, times },
    tokens: { openwork, usdc },
  };
  const script = fileURLToPath(new URL("./telling-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", loader, script, JSON.stringify(facts)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exit = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
  };
  world.endsAfter(end);
  const first = await Promise.race([once(child, "message"), exit.then(() => "ended" as const)]);
  if (first === "ended") throw new Error("the process ended by itself");
  const said: Said[] = [];
  child.on("message", (one: Said) => said.push(one));
  return {
    /** How a block was told of so far, or what came of it. */
    of: (blockHash: string) => said.filter((one) => one.blockHash === blockHash),
    readAgain: (range: ReadAgain) => void child.send(range),
    end,
  };
}

it("a deposit that comes by subscription, poll, backfill and rescan at once, fifty times to two processes, is credited once (SAFETY 2)", async () => {
  const player = await world.player();
  const { usdc } = world.base;
  const unwatch = world.watch();
  await world.caughtUp();
  const begun = await readCursor(world.context.pool);
  await world.base.mint(usdc, player.address, 123n);
  await world.caughtUp();
  await unwatch();

  const tellers = await Promise.all(Array.from({ length: processes }, startTelling));
  const saidOf = (hash: string, what: (one: Said) => boolean) =>
    tellers.map((teller) => teller.of(hash).filter(what));
  const isTelling = ({ what }: Said): boolean => what === "telling";
  const isOver = (one: Said): boolean => !isTelling(one);
  /** Until each process has said so of a block as often as it should, by each of these ways. */
  const allSay = (of: Way[], hash: string, what: (one: Said) => boolean) =>
    waitFor(
      () =>
        saidOf(hash, what).every((said) =>
          of.every((way) => said.filter((one) => one.way === way).length === times),
        ),
      { what: `all to tell by ${of.join(" and ")}`, ...patience },
    );
  const head = () => world.base.testClient.getBlock();

  // Whoever has told of this one stands on it, and listens.
  await world.base.mine(1);
  const before = await head();
  await allSay(["subscription", "poll"], before.hash, isOver);

  // Nobody gets at the books until all have come with the same log.
  const deposited = await transaction(world.context.pool, async (tx) => {
    await lockCursor(tx);
    await player.pay({ token: usdc, to: player.depositAddress, amount: 123n });
    const block = await head();
    expect(block.parentHash).toBe(before.hash);
    await allSay(["subscription", "poll"], block.hash, isTelling);
    // Final on the chain, while the cursor is still before it.
    await world.base.mine(8);
    const range = { from: String((begun?.head_number ?? 0n) + 1n), to: String(block.number + 4n) };
    for (const teller of tellers) teller.readAgain(range);
    await allSay(ways, block.hash, isTelling);
    expect(saidOf(block.hash, isOver)).toEqual([[], []]);
    expect((await readCursor(tx))?.head_hash).toBe(before.hash);
    return block;
  });
  await allSay(ways, deposited.hash, isOver);
  await Promise.all(tellers.map(({ end }) => end()));
  const outcomes = saidOf(deposited.hash, isOver).flat();
  expect(outcomes.filter(({ what }) => what === "applied")).toHaveLength(1);
  expect(outcomes.filter(({ what }) => what === "stale")).toHaveLength(processes * ways.length * times - 1);

  const expectOneCredit = async (state: string): Promise<void> => {
    expect(await freeOf(world, player.id)).toBe(123n);
    expect(await world.query("SELECT amount, state, credited FROM deposit")).toEqual([
      { amount: "123", state, credited: true },
    ]);
    expect(
      await world.query("SELECT inclusion, canonical FROM chain_log WHERE recipient = $1", [
        player.depositAddress,
      ]),
    ).toEqual([{ inclusion: 1, canonical: true }]);
    expect(await world.query("SELECT reason, amount FROM transfer ORDER BY id")).toEqual([
      { reason: "deposit", amount: "123" },
      { reason: "collect", amount: "123" },
    ]);
    await expectBooksToBalance(world.context);
  };
  await expectOneCredit("playable");
  world.watch();
  await finalize(world);
  await expectOneCredit("final");
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMoneyWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { ask, expectEachPaidOnce, readyToWithdraw } from "../helpers/sender.ts";
import { waitFor } from "../helpers/wait.ts";
import type { SenderProcessFacts } from "./sender-process.ts";

const kills = 8;
const withdrawals = 20;
/** Within so long after a process begins it has prepared, signed and sent what waits. */
const longestLifeMs = 400;

let world: MoneyWorld;
let child: ChildProcess | undefined;
beforeEach(async () => {
  world = await createMoneyWorld();
});
afterEach(async () => {
  await kill();
  await world.stop();
});

/** mulberry32: a failure names its seed, and PAYING_SEED brings it back. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Answers when it begins to work. */
async function start(): Promise<void> {
  // Its predecessor is dead, and we know it: nobody has to wait until its lease runs out.
  await world.query("UPDATE lease SET expires_at = now() - interval '1 second'");
  const facts: SenderProcessFacts = {
    databaseUrl: world.database.appUrl,
    rpcUrls: [world.base.rpcUrl],
    tokens: { openwork: world.base.openwork, usdc: world.base.usdc },
  };
  const script = fileURLToPath(new URL("./sender-process.ts", import.meta.url));
  const started = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(facts)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const ended = once(started, "exit").then(() => "ended" as const);
  const said = started.stdout === null ? ended : once(started.stdout, "data");
  if ((await Promise.race([said, ended])) === "ended") throw new Error("the process ended by itself");
}

/** Gives it no chance to put anything away. */
async function kill(): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

describe("a paying process", () => {
  it("that is killed at random moments pays each withdrawal exactly once", async () => {
    const seed = Number(process.env.PAYING_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const random = seeded(seed);
    const stopWatching = world.watch();
    await world.caughtUp();
    const players = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
    // Gas has to come first, so that top-ups are killed on their way as well.
    await world.base.setEther(world.vault, 0n);
    await stopWatching();

    let asked = 0;
    const askFor = async (count: number): Promise<void> => {
      for (const last = Math.min(withdrawals, asked + count); asked < last; asked += 1) {
        const player = players[asked % players.length];
        if (player !== undefined) await ask(world, player, BigInt(asked + 1));
      }
    };
    const lives: number[] = [];
    const miner = mineUntilStopped();
    try {
      for (let killed = 0; killed < kills; killed += 1) {
        await askFor(1 + random(4));
        await start();
        const lifeMs = random(longestLifeMs);
        lives.push(lifeMs);
        await delay(lifeMs);
        await kill();
      }
      await askFor(withdrawals);
      await start();
      await waitFor(allFinal, {
        what: `every payout (PAYING_SEED=${seed})`,
        timeoutMs: 60_000,
        everyMs: 100,
      });
      await kill();
    } finally {
      await miner.stop();
    }
    console.info(`PAYING_SEED=${seed}: killed after ${lives.join(", ")} ms`);
    world.watch();
    await world.caughtUp();
    await expectEachPaidOnce(world, withdrawals);
    const held = await Promise.all(players.map(({ address }) => world.held(world.base.usdc, address)));
    expect(held.reduce((sum, amount) => sum + amount, 0n)).toBe(210n);
  }, 150_000);
});

async function allFinal(): Promise<boolean> {
  const [open] = await world.query<{ open: string }>(
    "SELECT count(*) AS open FROM instruction WHERE state <> 'final'",
  );
  return open?.open === "0";
}

/** Blocks by the clock: what is sent isn't mined at once, so that processes die with payouts under way. */
function mineUntilStopped(): { stop(): Promise<void> } {
  let isOn = true;
  const done = (async () => {
    await world.base.testClient.setAutomine(false);
    while (isOn) {
      await world.base.mine(1);
      await delay(150);
    }
  })();
  return {
    stop: async () => {
      isOn = false;
      await done;
    },
  };
}

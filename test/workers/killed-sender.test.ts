import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMoneyWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { ask, expectEachPaidOnce, readyToWithdraw } from "../helpers/sender.ts";
import { waitFor } from "../helpers/wait.ts";
import type { SenderProcessFacts } from "./sender-process.ts";

const kills = 6;
const withdrawals = 20;
/** How far a process gets before its last moments: counts that grow, whatever the machine's speed. */
const steps = {
  begun: "SELECT fence AS count FROM lease",
  prepared: "SELECT count(*) FROM chain_tx",
  signed: "SELECT count(*) FROM attempt",
  sent: "SELECT count(*) FROM attempt WHERE sent_at IS NOT NULL",
  mined: "SELECT count(*) FROM chain_tx WHERE state <> 'open'",
} as const;
/** And how long its last moments are. */
const lastMomentsMs = 40;

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

/** Nobody has to wait until the lease of a process runs out that we know to be dead. */
const endLease = () => world.query("UPDATE lease SET expires_at = now() - interval '1 second'");

/** Answers when it begins to work. */
async function start(): Promise<void> {
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
  it("that is killed at random moments pays each withdrawal exactly once (SAFETY 23)", async () => {
    const seed = Number(process.env.PAYING_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const random = seeded(seed);
    const stopWatching = world.watch();
    await world.caughtUp();
    const players = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
    // The gas wallet has the vault pay.
    await world.base.setEther(world.vault, 0n);
    await stopWatching();

    let asked = 0;
    const askFor = async (count: number): Promise<void> => {
      for (const last = Math.min(withdrawals, asked + count); asked < last; asked += 1) {
        const player = players[asked % players.length];
        if (player !== undefined) await ask(world, player, BigInt(asked + 1));
      }
    };
    const deaths: string[] = [];
    const miner = mineUntilStopped();
    try {
      for (let killed = 0; killed < kills; killed += 1) {
        const names = Object.keys(steps) as (keyof typeof steps)[];
        const step = names[random(names.length)] ?? "begun";
        const before = await countOf(step);
        await askFor(1 + random(3));
        await endLease();
        await start();
        await waitFor(async () => (await countOf(step)) > before, {
          what: `a process that has ${step} (PAYING_SEED=${seed})`,
          timeoutMs: 20_000,
          everyMs: 1,
        });
        const momentsMs = random(lastMomentsMs);
        await delay(momentsMs);
        await kill();
        deaths.push(`${step} + ${momentsMs} ms`);
      }
      await askFor(withdrawals);
      await endLease();
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
    console.info(`PAYING_SEED=${seed}: killed after ${deaths.join(", ")}`);
    world.watch();
    await world.caughtUp();
    await expectEachPaidOnce(world, withdrawals);
    const held = await Promise.all(players.map(({ address }) => world.held(world.base.usdc, address)));
    expect(held.reduce((sum, amount) => sum + amount, 0n)).toBe(210n);
  }, 240_000);

  it("that is asked to end is soon out by itself, and its successor works at once and pays each once (SAFETY 23)", async () => {
    const stopWatching = world.watch();
    await world.caughtUp();
    const player = await readyToWithdraw(world, 1_000n);
    await stopWatching();
    await endLease();
    for (let amount = 1n; amount <= 10n; amount += 1n) await ask(world, player, amount);
    const miner = mineUntilStopped();
    try {
      await start();
      await waitFor(async () => (await countOf("signed")) > 0, { what: "signed bytes", timeoutMs: 20_000 });
      const ended = child === undefined ? undefined : once(child, "exit");
      let isOut = false;
      void ended?.then(() => {
        isOut = true;
      });
      child?.kill("SIGTERM");
      await waitFor(() => isOut, { what: "its end", timeoutMs: 10_000 });
      expect(await ended).toEqual([0, null]);
      // Nobody has to wait until it runs out.
      expect(await world.query("SELECT expires_at <= now() AS free FROM lease")).toEqual([{ free: true }]);
      const fences = await countOf("begun");
      await start();
      await waitFor(async () => (await countOf("begun")) > fences, { what: "the successor" });
      await waitFor(allFinal, { what: "every payout", timeoutMs: 30_000, everyMs: 100 });
      await kill();
    } finally {
      await miner.stop();
    }
    world.watch();
    await world.caughtUp();
    await expectEachPaidOnce(world, 10);
  });
});

async function countOf(step: keyof typeof steps): Promise<number> {
  const [row] = await world.query<{ count: string }>(steps[step]);
  return Number(row?.count);
}

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

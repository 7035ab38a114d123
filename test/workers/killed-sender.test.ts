import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMoneyWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { ask, expectEachPaidOnce, payBy, readyToWithdraw } from "../helpers/sender.ts";
import { waitFor } from "../helpers/wait.ts";
import { endLease, startSenderProcess } from "./started-sender.ts";

/** As many, each way of paying, as PAYING_KILLS and PAYING_WITHDRAWALS say. */
const kills = Number(process.env.PAYING_KILLS ?? 3);
const withdrawals = Number(process.env.PAYING_WITHDRAWALS ?? 10);
const setUpTimeoutMs = 60_000;
const killTimeoutMs = 30_000;
const payTimeoutMs = 3_000;

const queued = "EXISTS (SELECT FROM instruction WHERE state = 'queued')";
const unsigned =
  "EXISTS (SELECT FROM chain_tx WHERE state = 'open' AND NOT EXISTS (SELECT FROM attempt WHERE chain_tx_id = chain_tx.id))";
/** How far a process gets before its last moments: counts that grow, whatever the machine's speed, while there is work. */
const steps = {
  begun: { count: "SELECT fence AS count FROM lease", grows: "true" },
  prepared: { count: "SELECT count(*) FROM chain_tx", grows: queued },
  signed: { count: "SELECT count(*) FROM attempt", grows: `${queued} OR ${unsigned}` },
  // What is found in a block before the answer was written down is never noted as sent.
  sent: {
    count: "SELECT count(*) FROM attempt WHERE sent_at IS NOT NULL",
    grows: `${queued} OR ${unsigned}`,
  },
  mined: {
    count: "SELECT count(*) FROM chain_tx WHERE state <> 'open'",
    grows: `${queued} OR EXISTS (SELECT FROM chain_tx WHERE state = 'open')`,
  },
} as const;
type Step = keyof typeof steps;
/** And how long its last moments are. */
const lastMomentsMs = 40;

let world: MoneyWorld;
beforeEach(async () => {
  world = await createMoneyWorld();
});
afterEach(() => world.stop());

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

describe("a paying process", () => {
  it.each(["batch", "plain"] as const)(
    "that is killed at random moments pays each withdrawal exactly once, by %s payouts (SAFETY 23)",
    async (payouts) => {
      const seed = Number(process.env.PAYING_SEED ?? Math.floor(Math.random() * 2 ** 31));
      const random = seeded(seed);
      payBy(world.context, payouts);
      const stopWatching = world.watch();
      await world.caughtUp();
      const total = (withdrawals * (withdrawals + 1)) / 2;
      const players = [
        await readyToWithdraw(world, BigInt(total)),
        await readyToWithdraw(world, BigInt(total)),
      ];
      // The gas wallet has the vault pay, or brings it its gas.
      await world.base.setEther(world.vault, 0n);
      await stopWatching();

      let asked = 0;
      const askUpTo = async (count: number): Promise<void> => {
        for (; asked < count; asked += 1) {
          const player = players[asked % players.length];
          if (player !== undefined) await ask(world, player, BigInt(asked + 1));
        }
      };
      const deaths: string[] = [];
      const miner = mineUntilStopped();
      try {
        for (let killed = 0; killed < kills; killed += 1) {
          await askUpTo(Math.ceil((withdrawals * (killed + random(2))) / kills));
          const names = await growing();
          const step = names[random(names.length)] ?? "begun";
          const before = await countOf(step);
          await endLease(world);
          const child = await startSenderProcess(world);
          await waitFor(async () => (await countOf(step)) > before, {
            what: `a process that has ${step} (PAYING_SEED=${seed})`,
            timeoutMs: 20_000,
            everyMs: 1,
          });
          const momentsMs = random(lastMomentsMs);
          await delay(momentsMs);
          await child.kill();
          deaths.push(`${step} + ${momentsMs} ms`);
        }
        await askUpTo(withdrawals);
        await endLease(world);
        const child = await startSenderProcess(world);
        await waitFor(allFinal, {
          what: `every payout (PAYING_SEED=${seed})`,
          timeoutMs: withdrawals * payTimeoutMs,
          everyMs: 100,
        });
        await child.kill();
      } finally {
        await miner.stop();
      }
      console.info(`PAYING_SEED=${seed}: by ${payouts} payouts, killed after ${deaths.join(", ")}`);
      world.watch();
      await world.caughtUp();
      await expectEachPaidOnce(world, withdrawals);
      const held = await Promise.all(players.map(({ address }) => world.held(world.base.usdc, address)));
      expect(held.reduce((sum, amount) => sum + amount, 0n)).toBe(BigInt(total));
    },
    setUpTimeoutMs + kills * killTimeoutMs + withdrawals * payTimeoutMs,
  );

  it("that is asked to end is soon out by itself, and its successor works at once and pays each once (SAFETY 23)", async () => {
    const stopWatching = world.watch();
    await world.caughtUp();
    const player = await readyToWithdraw(world, 1_000n);
    await stopWatching();
    await endLease(world);
    for (let amount = 1n; amount <= 10n; amount += 1n) await ask(world, player, amount);
    const miner = mineUntilStopped();
    try {
      const child = await startSenderProcess(world);
      await waitFor(async () => (await countOf("signed")) > 0, { what: "signed bytes", timeoutMs: 20_000 });
      child.signal("SIGTERM");
      expect(await child.ended()).toBe(0);
      // Nobody has to wait until it runs out.
      expect(await world.query("SELECT expires_at <= now() AS free FROM lease")).toEqual([{ free: true }]);
      const fences = await countOf("begun");
      const successor = await startSenderProcess(world);
      await waitFor(async () => (await countOf("begun")) > fences, { what: "the successor" });
      await waitFor(allFinal, { what: "every payout", timeoutMs: 30_000, everyMs: 100 });
      await successor.kill();
    } finally {
      await miner.stop();
    }
    world.watch();
    await world.caughtUp();
    await expectEachPaidOnce(world, 10);
  });
});

async function countOf(step: Step): Promise<number> {
  const [row] = await world.query<{ count: string }>(steps[step].count);
  return Number(row?.count);
}

/** The steps that a next process will certainly get to. */
async function growing(): Promise<Step[]> {
  const names = Object.keys(steps) as Step[];
  const columns = names.map((name) => `${steps[name].grows} AS ${name}`);
  const [row] = await world.query<Record<Step, boolean>>(`SELECT ${columns.join(", ")}`);
  return names.filter((name) => row?.[name]);
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

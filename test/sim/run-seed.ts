/** One seed from its first block to the last check. */
import { createHash } from "node:crypto";
import { dropDatabase } from "../../scripts/local/postgres-roles.ts";
import { findFaults } from "./checks.ts";
import type { Cluster } from "./cluster.ts";
import { Leader } from "./leader.ts";
import { Moves } from "./moves.ts";
import { drawTheft, moveUnit, planted } from "./planted.ts";
import type { Rates } from "./rates.ts";
import { mend, turnSpells } from "./spells.ts";
import { nextBlock, sendAgain } from "./weather.ts";
import { type Counts, tokens, World } from "./world.ts";

const usualTicks = 32;
const mostTicksToRest = 100;
const leastTicksToRest = 4;
/** Blocks a tick when only time is waited for. */
const restBlocks = 4;
const minuteMs = 60_000;
/** So often do people's wallets look for what the chain has lost. */
const ticksPerLook = 3;

export interface SeedReport {
  seed: number;
  rates: Rates;
  counts: Counts;
  lines: string[];
  /** Of all lines: equal for two runs of a seed, or one of them isn't a replay. */
  hash: string;
  /** What is wrong, one sentence each; none when the world held. */
  faults: string[];
  seconds: number;
}

export interface RunOptions {
  rates?: Rates | undefined;
  /** Rough ones, before the world comes to rest. */
  ticks?: number | undefined;
  onLine?: ((line: string) => void) | undefined;
}

export async function runSeed(
  cluster: Cluster,
  seed: number,
  { rates, ticks = planted?.ticks ?? usualTicks, onLine }: RunOptions = {},
): Promise<SeedReport> {
  const startedAtMs = performance.now();
  const database = await cluster.createDatabase();
  try {
    const world = await World.create({
      seed,
      databaseUrl: database.appUrl,
      superuserUrl: database.adminUrl,
      rates,
      onLine,
    });
    try {
      const faults = await play(world, ticks).catch((error: unknown) => [
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      ]);
      return {
        seed,
        rates: world.rates,
        counts: world.counts,
        lines: world.lines,
        hash: createHash("sha256").update(world.lines.join("\n")).digest("hex"),
        faults,
        seconds: (performance.now() - startedAtMs) / 1_000,
      };
    } finally {
      await world.end();
    }
  } finally {
    await dropDatabase(cluster.superuserUrl, database.name);
  }
}

async function play(world: World, ticks: number): Promise<string[]> {
  const leader = await Leader.begin(world);
  const moves = await Moves.begin(world);
  const { dice } = world;
  world.theftAt = drawTheft(world, ticks);
  while (world.tick < ticks) {
    world.tick += 1;
    // Now and then hours pass in which nobody does anything.
    if (dice.chance(0.05)) world.nowMs += dice.int(1, 240) * minuteMs;
    turnSpells(world);
    for (let left = dice.int(0, 4); left > 0; left -= 1) await moves.one();
    await live(world, leader);
    await moves.afterLies();
  }
  mend(world);
  world.isRough = false;
  world.say("from here on nothing goes wrong any more");
  await comeToRest(world, leader, moves);
  return findFaults(world, leader.process.context);
}

async function live(world: World, leader: Leader): Promise<void> {
  if (world.tick % ticksPerLook === 0) await sendAgain(world);
  await nextBlock(world);
  for (let more = world.isRough ? 0 : restBlocks - 1; more > 0; more -= 1) await world.mine();
  if (world.tick === world.theftAt) await moveUnit(world);
  await leader.work();
  const { number, hash } = await world.chain.block();
  world.say(`block ${Number(number)} ${hash.slice(0, 18)}`);
}

/** Offers and games run out, money is taken out and swept, strays go back, the house makes good what it bore. */
async function comeToRest(world: World, leader: Leader, moves: Moves): Promise<void> {
  const untilQuiet = (options: Quiet): Promise<void> => waitUntilQuiet(world, { leader, moves }, options);
  await untilQuiet({ open: running, stepMs: 60 * minuteMs });
  await untilQuiet({ open: underWay });
  await moves.retryParked();
  await moves.refundStrays();
  await moves.withdrawAll();
  await makeGood(world);
  await untilQuiet({ open: underWay });
  await moves.retryParked();
  await moves.sweep();
  await untilQuiet({
    open: `${underWay} UNION SELECT 1 FROM instruction WHERE state = 'gathering'`,
  });
}

const running =
  "SELECT 1 FROM proposal WHERE state = 'pending' UNION SELECT 1 FROM game WHERE deadline_at IS NOT NULL";
const underWay = `SELECT 1 FROM instruction WHERE state IN ('queued', 'sending', 'mined') UNION SELECT 1 FROM deposit WHERE state IN ('seen', 'playable')`;

interface Quiet {
  /** Asks for one row of what isn't over yet. */
  open: string;
  /** What passes with each block beside its own time. */
  stepMs?: number;
}

async function waitUntilQuiet(
  world: World,
  { leader, moves }: { leader: Leader; moves: Moves },
  { open, stepMs = 0 }: Quiet,
): Promise<void> {
  // A few at least: what people have sent isn't in a block yet, or isn't in the books.
  for (let ticks = 1; ticks <= mostTicksToRest; ticks += 1) {
    world.tick += 1;
    world.nowMs += stepMs;
    await live(world, leader);
    await moves.afterLies();
    if (ticks >= leastTicksToRest && (await world.rows(`${open} LIMIT 1`)).length === 0) return;
  }
}

/** What the vault lacks because the chain lost deposits that were played with comes from the house. */
async function makeGood(world: World): Promise<void> {
  const [vault] = await world.rows<{ address: string }>("SELECT address FROM wallet WHERE purpose = 'vault'");
  for (const { address: token, symbol } of tokens) {
    const [row] = await world.rows<{ balance: string }>(
      "SELECT balance FROM account WHERE kind = 'house.loss' AND token = $1",
      [token],
    );
    const amount = BigInt(row?.balance ?? 0);
    if (amount === 0n) continue;
    const { raw } = await world.stranger.transfer({ token, to: vault?.address ?? "", amount });
    await world.chain.send(raw);
    world.say(`the house makes good ${amount} ${symbol}`);
  }
}

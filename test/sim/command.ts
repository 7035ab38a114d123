/**
 * `npm run sim`: whole worlds, one per seed, each checked when it has come to rest. `-- --seeds N` runs that many (20
 * unless told), `--from S` begins at another seed than 1, `--seed S` runs one and tells all that happens in it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loader } from "../../scripts/local/loader.ts";
import { clusterOn, startCluster } from "./cluster.ts";
import { planted } from "./planted.ts";
import { howToReplay, lineOf, outcomeOf, ratesLine } from "./report.ts";
import { runSeed, type SeedReport } from "./run-seed.ts";
import type { Facts } from "./seeds-process.ts";

const usage = "npm run sim -- [--seeds N] [--from S] | --seed S";

function readLine(): { seeds: number[]; isOne: boolean } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: { seeds: text, from: text, seed: text, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const whole = (text: string): number => {
    const number = Number(text);
    if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`${text} isn't a whole number.\n${usage}`);
    return number;
  };
  if (values.seed !== undefined) return { seeds: [whole(values.seed)], isOne: true };
  const from = whole(values.from ?? "1");
  const seeds = Array.from({ length: whole(values.seeds ?? "20") }, (_, index) => from + index);
  return { seeds, isOne: false };
}

async function openCluster(): ReturnType<typeof startCluster> {
  if (planted === null) return startCluster();
  const { superuserUrl, templateDatabase } = planted.cluster;
  return { cluster: clusterOn(superuserUrl, templateDatabase), stop: () => Promise.resolve() };
}

async function tellOne(seed: number): Promise<boolean> {
  const { cluster, stop } = await openCluster();
  try {
    const report = await runSeed(cluster, seed, { onLine: (line) => console.log(line) });
    console.log(`\n${ratesLine(report)}\n${lineOf(report)}\n${outcomeOf(report)}`);
    return report.faults.length === 0;
  } finally {
    await stop();
  }
}

/**
 * As many processes as there are processors, each with a seed at a time. Answers the seeds that failed, and how many were
 * run: not all after Ctrl-C.
 */
async function runAll(seeds: number[]): Promise<{ failed: number[]; done: number }> {
  const startedAtMs = performance.now();
  const { cluster, stop } = await openCluster();
  const waiting = [...seeds];
  const failed: number[] = [];
  let done = 0;
  const tell = (report: SeedReport): void => {
    done += 1;
    const perSeedMs = (performance.now() - startedAtMs) / done;
    const leftMinutes = ((seeds.length - done) * perSeedMs) / 60_000;
    console.log(`[${done}/${seeds.length}, ${leftMinutes.toFixed(1)} min left] ${lineOf(report)}`);
    if (report.faults.length === 0) return;
    failed.push(report.seed);
    console.log(`${outcomeOf(report)}\n  ${ratesLine(report)}\n  again: ${howToReplay(report.seed)}`);
  };
  const workers = Array.from({ length: Math.min(availableParallelism(), seeds.length) }, () =>
    workThrough(waiting, {
      facts: { superuserUrl: cluster.superuserUrl, templateDatabase: cluster.template },
      tell,
    }),
  );
  const end = (): void => {
    for (const { child } of workers) child.kill("SIGTERM");
  };
  let isInterrupted = false;
  process.once("SIGINT", () => {
    isInterrupted = true;
    end();
  });
  try {
    await Promise.all(workers.map(({ done }) => done));
  } catch (error) {
    if (!isInterrupted) throw error;
  } finally {
    end();
    await stop();
  }
  return { failed, done };
}

interface Worker {
  child: ChildProcess;
  done: Promise<void>;
}

function workThrough(
  waiting: number[],
  { facts, tell }: { facts: Facts; tell: (report: SeedReport) => void },
): Worker {
  const script = fileURLToPath(new URL("./seeds-process.ts", import.meta.url));
  const child = fork(script, [JSON.stringify(facts)], {
    execArgv: ["--import", loader],
    serialization: "advanced",
  });
  const done = new Promise<void>((resolve, reject) => {
    const next = (): void => {
      const seed = waiting.shift();
      if (seed === undefined) resolve();
      else child.send(seed);
    };
    child.on("message", (report: SeedReport) => {
      tell(report);
      next();
    });
    child.once("exit", (code) => reject(new Error(`a simulating process ended with code ${code}`)));
    next();
  });
  return { child, done };
}

const { seeds, isOne } = readLine();
if (isOne) process.exit((await tellOne(seeds[0] ?? 1)) ? 0 : 1);
const { failed, done } = await runAll(seeds);
console.log(
  failed.length > 0
    ? `\n${failed.length} of ${done} seeds fail: ${failed.join(", ")}`
    : `\nAll ${done} seeds hold${done < seeds.length ? `, of ${seeds.length} that were asked for` : ""}.`,
);
process.exit(failed.length === 0 && done === seeds.length ? 0 : 1);

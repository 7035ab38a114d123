/**
 * `npm run bench`: the real path and its baseline in one run. `-- --json FILE` writes the same figures as data;
 * `-- --only NAME` runs one of them.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchBackfill } from "./bench/backfill.ts";
import { benchBatches, benchGas } from "./bench/batches.ts";
import { benchDeposits } from "./bench/deposits.ts";
import { type RunningEngine, startEngineProcess } from "./bench/engine-process.ts";
import { benchFanOut } from "./bench/fan-out.ts";
import { benchPayouts } from "./bench/payouts.ts";
import { benchProposals } from "./bench/proposals.ts";
import { printRow, type Row } from "./bench/row.ts";
import { benchWatching } from "./bench/watching.ts";

type Bench = () => Promise<Row | Row[]>;

/** Over an engine of its own, with blocks each so many seconds. */
const overEngine =
  (run: (engine: RunningEngine) => Promise<Row | Row[]>, blockTimeSeconds: number): Bench =>
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-bench-"));
    try {
      const engine = await startEngineProcess({
        dataDir,
        port: 0,
        persist: false,
        blockTimeSeconds,
        logLevel: "error",
        environment: {
          SOCKETS_PER_ADDRESS: "5000",
          REQUESTS_PER_MINUTE: "10000000",
        },
      });
      try {
        return await run(engine);
      } finally {
        await engine.stop();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  };

/** Deposits arrive in blocks of their own, so a second is enough for them. */
const benches: Record<string, Bench> = {
  proposals: overEngine(benchProposals, 2),
  deposits: overEngine(benchDeposits, 1),
  payouts: overEngine(benchPayouts, 1),
  gas: overEngine(benchGas, 2),
  batches: overEngine(benchBatches, 2),
  "fan-out": overEngine(benchFanOut, 1),
  backfill: benchBackfill,
  watching: benchWatching,
};

const text = { type: "string" } as const;
const { values } = parseArgs({ options: { json: text, only: text, help: { type: "boolean" } } });
if (values.help) {
  console.log(`npm run bench -- [--only ${Object.keys(benches).join("|")}] [--json FILE]`);
  process.exit(0);
}
if (values.only !== undefined && !(values.only in benches))
  throw new Error(`--only ${values.only}: there is ${Object.keys(benches).join(", ")}`);

const rows: Row[] = [];
for (const [name, run] of Object.entries(benches)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`\n[${name}] begins …`);
  for (const row of [await run()].flat()) {
    rows.push(row);
    printRow(row);
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
const missed = rows.filter(({ ok }) => !ok);
console.log(
  missed.length === 0 ? "\nEvery target is met." : `\nMissed: ${missed.map(({ name }) => name).join("; ")}`,
);
process.exit(missed.length === 0 ? 0 : 1);

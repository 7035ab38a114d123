/**
 * `npm run bench`: the real path and its baseline in one run. `-- --json FILE` writes the same figures as data;
 * `-- --only NAME` runs one of proposals, deposits, payouts, gas, batches, fan-out.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchBatches, benchGas } from "./bench/batches.ts";
import { benchDeposits } from "./bench/deposits.ts";
import { type RunningEngine, startEngineProcess } from "./bench/engine-process.ts";
import { benchFanOut } from "./bench/fan-out.ts";
import { benchPayouts } from "./bench/payouts.ts";
import { benchProposals } from "./bench/proposals.ts";
import { printRow, type Row } from "./bench/row.ts";

const { values } = parseArgs({ options: { json: { type: "string" }, only: { type: "string" } } });
/** Each with the block time that its question is about, in seconds; deposits arrive in blocks of their own. */
const benches: [
  name: string,
  run: (engine: RunningEngine) => Promise<Row | Row[]>,
  blockTimeSeconds: number,
][] = [
  ["proposals", benchProposals, 2],
  ["deposits", benchDeposits, 1],
  ["payouts", benchPayouts, 1],
  ["gas", benchGas, 2],
  ["batches", benchBatches, 2],
  ["fan-out", benchFanOut, 1],
];

const rows: Row[] = [];
for (const [name, run, blockTimeSeconds] of benches) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`\n[${name}] an engine of its own starts …`);
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
      for (const row of [await run(engine)].flat()) {
        rows.push(row);
        printRow(row);
      }
    } finally {
      await engine.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
const missed = rows.filter(({ ok }) => !ok);
console.log(
  missed.length === 0 ? "\nEvery target is met." : `\nMissed: ${missed.map(({ name }) => name).join("; ")}`,
);
process.exit(missed.length === 0 ? 0 : 1);

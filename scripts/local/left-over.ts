import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isRunning, markOf, type ProcessMark } from "./processes.ts";

export const processMarkSchema = z.object({ pid: z.number().int().positive(), startMark: z.string() });
const recordSchema = z.object({
  process: processMarkSchema,
  startedBy: processMarkSchema,
  address: z.string(),
});

/** A process that works on a data folder, who started it, and where it listens. */
export type ProcessRecord = z.infer<typeof recordSchema>;

/** Notes a process beside the data that it works on, so that the next start knows it if we are killed before it ends. */
export async function recordProcess(
  dataDir: string,
  name: string,
  started: { process: ProcessMark; address: string },
): Promise<void> {
  const file = recordFile(dataDir, name);
  const record: ProcessRecord = { ...started, startedBy: markOf(process.pid) };
  await writeFile(`${file}.new`, JSON.stringify(record));
  await rename(`${file}.new`, file);
}

/**
 * The noted process, when it still runs though the one that started it is gone.
 *
 * @throws when the one that started it runs too: two engines on one data folder would ruin it.
 */
export async function findLeftOver(dataDir: string, name: string): Promise<ProcessRecord | undefined> {
  const record = await readRecord(dataDir, name);
  if (!record || !isRunning(record.process)) return undefined;
  if (isRunning(record.startedBy)) {
    throw new Error(
      `${dataDir} is in use by process ${record.startedBy.pid}: stop that one, or choose another folder`,
    );
  }
  return record;
}

async function readRecord(dataDir: string, name: string): Promise<ProcessRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(recordFile(dataDir, name), "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function recordFile(dataDir: string, name: string): string {
  return join(dataDir, `${name}.process.json`);
}

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { endProcess, isRunning, type ProcessMark } from "./processes.ts";

const markSchema = z.object({ pid: z.number().int().positive(), startMark: z.string() });

/** Notes a process beside the data that it works on, so that the next start knows it if we are killed before it ends. */
export async function recordProcess(dataDir: string, name: string, mark: ProcessMark): Promise<void> {
  const file = recordFile(dataDir, name);
  await writeFile(`${file}.new`, JSON.stringify(mark));
  await rename(`${file}.new`, file);
}

/** The noted process, if it is still running. */
export async function findLeftOver(dataDir: string, name: string): Promise<ProcessMark | undefined> {
  try {
    const mark = markSchema.parse(JSON.parse(await readFile(recordFile(dataDir, name), "utf8")));
    return isRunning(mark) ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** Ends the process that a killed engine left behind on this data, in order, so that nothing it holds is lost. */
export async function endLeftOver(
  dataDir: string,
  name: string,
  ending: { signal: NodeJS.Signals; patienceMs: number },
): Promise<void> {
  const leftOver = await findLeftOver(dataDir, name);
  if (leftOver) await endProcess(leftOver, ending);
}

function recordFile(dataDir: string, name: string): string {
  return join(dataDir, `${name}.process.json`);
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loader } from "../../scripts/local/loader.ts";
import { endProcess, type ProcessMark } from "../../scripts/local/processes.ts";

const recordSchema = z.object({ process: z.object({ pid: z.number(), startMark: z.string() }) });

/** Starts a part in a Node process of its own, as an engine does, and gives what it answered and a way to kill it. */
export async function startInOwnProcess<T>(
  part: "base" | "postgres" | "lock",
  dataDir: string,
  answer: z.ZodType<T>,
): Promise<T & { kill(): Promise<void> }> {
  const script = fileURLToPath(new URL("./hold.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", loader, script, part, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, "line"), ended.then(() => undefined)]);
  if (!first) throw new Error(`The process that holds ${part} ended at once`);
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { ...answer.parse(JSON.parse(String(first[0]))), kill };
}

/** The program that works on a data folder, or worked on it last. */
export async function markOfRecorded(dataDir: string, name: string): Promise<ProcessMark> {
  const record = await readFile(join(dataDir, `${name}.process.json`), "utf8");
  return recordSchema.parse(JSON.parse(record)).process;
}

/** Kills the program that works on a data folder, with no chance to put anything away. */
export async function killRecorded(dataDir: string, name: string): Promise<void> {
  const mark = await markOfRecorded(dataDir, name);
  await endProcess(mark, { signal: "SIGKILL", patienceMs: 5_000 });
}

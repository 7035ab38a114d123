import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loader } from "../../scripts/local/loader.ts";
import { endProcess, isRunning, type ProcessMark } from "../../scripts/local/processes.ts";
import { waitFor } from "../helpers/wait.ts";
import { markOfRecorded } from "./killed-engine.ts";

const startTimeoutMs = 30_000;
const endTimeoutMs = 45_000;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Would make it another engine than the one that comes with nothing configured. */
const foreign = new Set([
  "DATABASE_URL",
  "DATABASE_OWNER_URL",
  "DATABASE_SIGNER_URL",
  "BASE_RPC_URLS",
  "BASE_FORK_URL",
  "NODE_ENV",
]);

/** A program of the project, run as a person runs it. */
export interface Run {
  pid: number;
  output(): string;
  errors(): string;
  /** Sends a signal, and no wait. */
  signal(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
}

/** @param descriptor what can be read from file descriptor 3; absent: that isn't given */
export function run(
  script: string,
  flags: string[],
  environment: Record<string, string>,
  descriptor?: string,
): Run {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.has(name)));
  const child = spawn(process.execPath, ["--import", loader, join(root, "scripts", script), ...flags], {
    cwd: root,
    env: { ...inherited, ...environment },
    stdio: ["ignore", "pipe", "pipe", descriptor === undefined ? "ignore" : "pipe"],
  });
  const third = child.stdio[3] as Writable | null;
  third?.end(descriptor);
  if (child.stdout === null || child.stderr === null) throw new Error(`${script} has no pipes`);
  const said = { output: "", errors: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    said.output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said.errors += chunk.toString();
  });
  const closed = once(child, "close");
  return {
    pid: child.pid ?? 0,
    output: () => said.output,
    errors: () => said.errors,
    signal: (signal) => void child.kill(signal),
    ended: async () => {
      await waitFor(() => child.exitCode !== null || child.signalCode !== null, {
        what: `${script} to end; it said ${said.output}${said.errors}`,
        timeoutMs: endTimeoutMs,
      });
      await closed;
      return child.exitCode ?? child.signalCode ?? 0;
    },
  };
}

const configurationSchema = z.record(z.string(), z.string());

export interface StartedEngine extends Run {
  origin: string;
  rpcUrl: string;
  /** For the operator's commands. */
  configuration: Record<string, string>;
}

/** Waits until `npm start` on that folder has printed its address: 30 s at most. */
export async function untilStarted(engine: Run, dataDir: string): Promise<StartedEngine> {
  const origin = await waitFor(
    () => {
      const address = /^On the Rail runs at (\S+)$/m.exec(engine.output())?.[1];
      if (address === undefined && !isAlive(engine.pid)) throw new Error(engine.errors());
      return address;
    },
    { what: "the address to be printed", timeoutMs: startTimeoutMs },
  );
  const configuration = configurationSchema.parse(
    JSON.parse(await readFile(join(dataDir, "engine.json"), "utf8")),
  );
  const [rpcUrl = ""] = configuration.BASE_RPC_URLS?.split(",") ?? [];
  return { ...engine, origin, rpcUrl, configuration };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What an engine on that folder runs besides itself: Postgres, the chain and its upstream. */
export async function readParts(dataDir: string): Promise<ProcessMark[]> {
  return Promise.all([
    markOfRecorded(join(dataDir, "postgres"), "postgres"),
    markOfRecorded(join(dataDir, "base"), "chain"),
    markOfRecorded(join(dataDir, "base"), "upstream"),
  ]);
}

export function areRunning(parts: ProcessMark[]): boolean[] {
  return parts.map(isRunning);
}

/** Whatever a failed test left. */
export async function endParts(dataDir: string): Promise<void> {
  const parts = await readParts(dataDir).catch(() => []);
  for (const part of parts) await endProcess(part, { signal: "SIGKILL", patienceMs: 5_000 });
}

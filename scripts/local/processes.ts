import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A process that we started: its id, and a mark that no later process with the same id has. */
export type ProcessMark = { pid: number; startMark: string };

/** What tells a process from a later one with the same id; undefined when there is no such process. */
export function startMarkOf(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") return undefined;
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${fields[19]}`;
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The command line of a process; empty when there is no such process. */
export function commandOf(pid: number): string {
  try {
    if (process.platform === "linux")
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}

export function markOf(pid: number): ProcessMark {
  return { pid, startMark: startMarkOf(pid) ?? "ended" };
}

export function isRunning(mark: ProcessMark): boolean {
  return startMarkOf(mark.pid) === mark.startMark;
}

/** Starts a program and gives the child once it runs. */
export async function startProcess(
  program: string,
  flags: string[],
  options: SpawnOptions,
): Promise<ChildProcess> {
  const child = spawn(program, flags, options);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  return child;
}

/** Sends the first signal, waits for the end, and kills when it takes longer than `patienceMs`. Safe to call twice. */
export async function endProcess(
  mark: ProcessMark,
  options: { signal: NodeJS.Signals; patienceMs: number },
): Promise<void> {
  if (await endsWithin(mark, options.signal, options.patienceMs)) return;
  if (await endsWithin(mark, "SIGKILL", 5_000)) return;
  throw new Error(`Process ${mark.pid} doesn't end`);
}

async function endsWithin(mark: ProcessMark, signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
  if (!isRunning(mark)) return true;
  try {
    process.kill(mark.pid, signal);
  } catch {
    return !isRunning(mark);
  }
  const giveUpAt = Date.now() + patienceMs;
  while (isRunning(mark)) {
    if (Date.now() > giveUpAt) return false;
    await delay(10);
  }
  return true;
}

/** Below those that systems give to whoever names none, and to connections on their way out. */
const ports = { from: 20_000, to: 32_000 };
const portTries = 100;

/**
 * A loopback port that nothing listens on now, nor is likely to before it is used: one that the system had chosen could
 * be the next that it gives to somebody else.
 */
export async function findFreePort({ from, to } = ports): Promise<number> {
  for (let tried = 0; tried < portTries; tried += 1) {
    const port = randomInt(from, to);
    if (await isPortFree(port)) return port;
  }
  throw new Error("No free port");
}

/** Whether nothing listens on that loopback port now. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

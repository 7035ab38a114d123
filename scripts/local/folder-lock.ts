import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { processMarkSchema } from "./left-over.ts";
import { isRunning, markOf } from "./processes.ts";

const stopPatienceMs = 45_000;
const pollIntervalMs = 50;

const turnSchema = z.object({
  holder: processMarkSchema,
  state: z.enum(["starting", "running", "stopping", "released"]),
  address: z.string().optional(),
});
/** Who holds a folder, or held it last, and how far it has come. */
type Turn = z.infer<typeof turnSchema>;

/** Somebody else works on the folder; the message says who, and what to do. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

export interface FolderLock {
  /** Tells those who come later where we listen. */
  announce(address: string): Promise<void>;
  /** Tells them that we are about to release it: from now on they wait. */
  announceStop(): Promise<void>;
  release(): Promise<void>;
}

export interface FolderLockOptions {
  /** Told once, before waiting for a process that is stopping. */
  waits?: (pid: number) => void;
  /** How long to wait for it. */
  patienceMs?: number;
  /** Ends the wait, by its reason. */
  signal?: AbortSignal;
}

/**
 * Makes sure that one engine at a time works on a data folder. A process that was killed holds nothing any more.
 *
 * Turns are numbered files, and the one with the highest number counts. A file appears with all that it says, and only
 * once, so of several that follow the same turn exactly one gets the next: with a single file that each of them removes
 * when its holder is gone, one could remove what another had just put there.
 *
 * @throws FolderInUseError when another one has it and isn't stopping, or takes too long to stop.
 */
export async function lockFolder(
  dataDir: string,
  { waits = () => undefined, patienceMs = stopPatienceMs, signal }: FolderLockOptions = {},
): Promise<FolderLock> {
  const folder = join(resolve(dataDir), "lock");
  await mkdir(folder, { recursive: true });
  const giveUpAt = performance.now() + patienceMs;
  let isWaiting = false;
  for (;;) {
    const number = await newestNumber(folder);
    const turn = await readTurn(folder, number);
    if (turn === undefined || turn.state === "released" || !isRunning(turn.holder)) {
      const lock = await takeTurn(folder, number + 1);
      if (lock) return lock;
      continue;
    }
    if (turn.state !== "stopping" || performance.now() > giveUpAt)
      throw new FolderInUseError(tellInUse(resolve(dataDir), turn));
    if (!isWaiting) waits(turn.holder.pid);
    isWaiting = true;
    await delay(pollIntervalMs, undefined, { ...(signal && { signal }) });
  }
}

/** Gives undefined when somebody else was quicker. */
async function takeTurn(folder: string, number: number): Promise<FolderLock | undefined> {
  const holder = markOf(process.pid);
  const unfinished = join(folder, `${randomUUID()}.new`);
  await writeFile(unfinished, JSON.stringify({ holder, state: "starting" } satisfies Turn));
  try {
    await link(unfinished, fileOf(folder, number));
  } catch (error) {
    if (hasCode(error, "EEXIST")) return undefined;
    throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
  // Others may have come and gone since we looked, and removed the file whose place we took.
  if ((await newestNumber(folder)) !== number) {
    await rm(fileOf(folder, number), { force: true });
    return undefined;
  }
  for (const earlier of await readNumbers(folder))
    if (earlier < number) await rm(fileOf(folder, earlier), { force: true });

  const change = async (change: Omit<Turn, "holder">): Promise<void> => {
    const turn: Turn = { holder, ...change };
    try {
      await writeFile(unfinished, JSON.stringify(turn));
      await rename(unfinished, fileOf(folder, number));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error; // Somebody removed the folder: there is nothing left to guard.
    }
  };
  return {
    announce: (address) => change({ state: "running", address }),
    announceStop: () => change({ state: "stopping" }),
    release: () => change({ state: "released" }),
  };
}

/** Undefined when there is none, or only what a power failure left of it. */
async function readTurn(folder: string, number: number): Promise<Turn | undefined> {
  try {
    return turnSchema.parse(JSON.parse(await readFile(fileOf(folder, number), "utf8")));
  } catch (error) {
    if (hasCode(error, "ENOENT") || error instanceof SyntaxError || error instanceof z.ZodError)
      return undefined;
    throw error;
  }
}

/** 0 when nobody had a turn yet. */
async function newestNumber(folder: string): Promise<number> {
  return Math.max(0, ...(await readNumbers(folder)));
}

async function readNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.flatMap((name) => (/^\d+\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
}

function fileOf(folder: string, number: number): string {
  return join(folder, `${number}.json`);
}

function tellInUse(dataDir: string, { holder: { pid }, state, address }: Turn): string {
  if (state === "stopping")
    return `The engine on the data folder ${dataDir} is still stopping, as process ${pid}: wait until it has ended, or end it (kill -9 ${pid}), and start again.`;
  const does = state === "starting" ? "is starting" : "runs";
  const where = address === undefined ? "" : ` at ${address}`;
  return `An engine ${does} on the data folder ${dataDir} already, as process ${pid}${where}: use that one, or stop it (kill ${pid}) and start again, or name another folder in DATA_DIR.`;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

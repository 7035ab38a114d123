import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { callNode } from "./rpc.ts";

const dumpTimeoutMs = 60_000;
const pollIntervalMs = 200;
/** A dump of n ms is followed by a rest of 20 n ms, so that a chain grown old spends at most 5 % of its time on them. */
const restFactor = 20;
const attempts = 5;

const headSchema = z.object({ number: z.string(), hash: z.string() });

/**
 * Keeps the whole state of a chain (blocks, logs, accounts) in a file of the folder, and gives the hash of the head that
 * was kept. The old file is replaced only by a complete new one that has reached the disk, so that a kill at any moment
 * leaves one or the other.
 */
export async function writeSnapshot(folder: string, name: string, rpcUrl: string): Promise<string> {
  const { hash, packed } = await dumpState(rpcUrl);
  const temporaryFile = join(folder, `${name}.new`);
  const file = await open(temporaryFile, "w");
  try {
    await file.writeFile(packed);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporaryFile, snapshotFile(folder, name));
  return hash;
}

/** Unpacks the kept state for `anvil --load-state` and gives its path; undefined when nothing was kept. */
export async function readSnapshot(folder: string, name: string): Promise<string | undefined> {
  let packed: Buffer;
  try {
    packed = await readFile(snapshotFile(folder, name));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const stateFile = join(folder, `${name}.json`);
  await writeFile(stateFile, gunzipSync(packed));
  return stateFile;
}

export type SnapshotKeeper = {
  /** The hash of the head that the kept state has; undefined before the first. */
  keptHead(): string | undefined;
  stop(): Promise<void>;
};

/** Keeps the state after each new block until stopped, as far as dumping doesn't slow the chain down. */
export function keepSnapshots(options: {
  folder: string;
  name: string;
  rpcUrl: string;
  log: (message: string) => void;
}): SnapshotKeeper {
  const { folder, name, rpcUrl, log } = options;
  const stopping = new AbortController();
  let keptHash: string | undefined;
  const keepOnce = async () => {
    if ((await readHead(rpcUrl)).hash === keptHash) return;
    const startedAt = performance.now();
    keptHash = await writeSnapshot(folder, name, rpcUrl);
    await rest((performance.now() - startedAt) * restFactor, stopping.signal);
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await keepOnce().catch((error: unknown) => log(`The chain's state wasn't kept: ${String(error)}`));
      await rest(pollIntervalMs, stopping.signal);
    }
  };
  const ended = loop();
  return {
    keptHead: () => keptHash,
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

/**
 * A chain's whole state, for `anvil_loadState`, and the hash of its head. anvil reads its blocks before its accounts, so a
 * block that comes in between would make the two disagree.
 */
export async function dumpState(rpcUrl: string): Promise<{ hash: string; packed: Buffer }> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { hash } = await readHead(rpcUrl);
    const dump = await callNode(rpcUrl, "anvil_dumpState", [], dumpTimeoutMs);
    if ((await readHead(rpcUrl)).hash !== hash) continue;
    if (typeof dump !== "string" || !dump.startsWith("0x1f8b")) throw new Error("anvil gave no packed state");
    return { hash, packed: Buffer.from(dump.slice(2), "hex") };
  }
  throw new Error(`blocks came faster than they could be kept, ${attempts} times`);
}

async function readHead(rpcUrl: string): Promise<z.infer<typeof headSchema>> {
  return headSchema.parse(await callNode(rpcUrl, "eth_getBlockByNumber", ["latest", false]));
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

function snapshotFile(folder: string, name: string): string {
  return join(folder, `${name}.json.gz`);
}

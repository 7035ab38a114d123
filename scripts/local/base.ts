import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { developmentAccounts } from "./accounts.ts";
import type { Anvil } from "./anvil.ts";
import { startFork } from "./fork.ts";
import { settleForkOrigin } from "./fork-origin.ts";
import { findLeftOver, recordProcess } from "./left-over.ts";
import { endProcess } from "./processes.ts";
import { callNode } from "./rpc.ts";
import { keepSnapshots, readSnapshot, type SnapshotKeeper, writeSnapshot } from "./snapshots.ts";
import { startUpstream } from "./upstream.ts";

export type LocalBase = {
  rpcUrl: string;
  wsUrl: string;
  /** The local upstream, or the address given as `forkUrl`. */
  upstreamUrl: string;
  /** Whether the chain begins now, and didn't come back from an earlier start. */
  isNew: boolean;
  /** The hash of the newest block that a power failure wouldn't take; undefined without `persist`. */
  keptHead(): string | undefined;
  /** Keeps the state and ends both chains. Safe to call twice. */
  stop(): Promise<void>;
};

export type LocalBaseOptions = {
  /** Where the chain is kept; untouched without `persist`. */
  dataDir: string;
  /** Loopback ports; 0 or absent picks free ones. */
  port?: number | undefined;
  upstreamPort?: number | undefined;
  /** A block each so many seconds; absent: a block for each transaction, at once. */
  blockTimeSeconds?: number | undefined;
  /** Whether the chain is the same one after the next start. */
  persist: boolean;
  /** A node of Base itself to fork instead of a local upstream. */
  forkUrl?: string | undefined;
  log?: ((message: string) => void) | undefined;
};

/**
 * Starts the chain that the engine works on, which is always a fork: of a local upstream with both tokens at their real
 * addresses, or of Base when `forkUrl` is given.
 *
 * With `persist`, blocks with their hashes, logs, balances, nonces and contracts come back at the next start. After an
 * orderly stop, or when only the engine was killed, nothing is missing; when the chain itself was killed, at most the
 * blocks of the last moment are. Balances *at* blocks from before the start can't be asked for.
 *
 * @throws when a port is taken, when another engine uses the folder, or when the folder's chain has another origin.
 */
export async function startLocalBase(options: LocalBaseOptions): Promise<LocalBase> {
  const { persist, forkUrl } = options;
  const folder = persist ? resolve(options.dataDir) : undefined;
  if (folder) {
    await mkdir(folder, { recursive: true });
    await takeOverLeftOvers(folder);
  }
  const upstream = forkUrl === undefined ? await startLocalUpstream(options, folder) : undefined;
  const upstreamUrl = upstream?.rpcUrl ?? forkUrl ?? "";
  try {
    const chain = await startChain(options, { folder, upstreamUrl });
    return {
      rpcUrl: chain.rpcUrl,
      wsUrl: chain.wsUrl,
      upstreamUrl,
      isNew: chain.isNew,
      keptHead: chain.keptHead,
      stop: async () => {
        await chain.stop();
        await upstream?.stop();
      },
    };
  } catch (error) {
    await upstream?.stop();
    throw error;
  }
}

async function startLocalUpstream(options: LocalBaseOptions, folder: string | undefined): Promise<Anvil> {
  const upstream = await startUpstream({ port: options.upstreamPort ?? 0, ...(folder && { folder }) });
  if (folder)
    await recordProcess(folder, "upstream", { process: upstream.process, address: upstream.rpcUrl });
  return upstream;
}

async function startChain(
  options: LocalBaseOptions,
  { folder, upstreamUrl }: { folder: string | undefined; upstreamUrl: string },
): Promise<Pick<LocalBase, "rpcUrl" | "wsUrl" | "isNew" | "keptHead" | "stop">> {
  const upstream = options.forkUrl === undefined ? "local" : "base";
  const forkBlock =
    folder === undefined ? undefined : await settleForkOrigin(folder, { upstream, upstreamUrl });
  const stateFile = folder === undefined ? undefined : await readSnapshot(folder, "chain");
  const { blockTimeSeconds, port = 0 } = options;
  const detached = folder !== undefined;
  const chain = await startFork({ upstreamUrl, forkBlock, stateFile, port, detached, blockTimeSeconds });
  try {
    const isNew = stateFile === undefined;
    if (isNew && upstream === "base") await takeCodeFromDevelopmentAccounts(chain.rpcUrl);
    const { rpcUrl, wsUrl } = chain;
    if (folder === undefined) return { rpcUrl, wsUrl, isNew, keptHead: () => undefined, stop: chain.stop };
    return { rpcUrl, wsUrl, isNew, ...(await keepChain(chain, { folder, log: options.log })) };
  } catch (error) {
    await chain.stop();
    throw error;
  }
}

/** Notes the process for the next start and keeps its state from now on; `stop` keeps the end too. */
async function keepChain(
  chain: Anvil,
  { folder, log = () => undefined }: { folder: string; log: LocalBaseOptions["log"] },
): Promise<SnapshotKeeper> {
  const { rpcUrl } = chain;
  await recordProcess(folder, "chain", { process: chain.process, address: rpcUrl });
  const snapshots = keepSnapshots({ folder, name: "chain", rpcUrl, log });
  const stop = once(async () => {
    await snapshots.stop();
    await keepEnd(folder, rpcUrl).catch((error: unknown) =>
      log(`The chain's end wasn't kept: ${String(error)}`),
    );
    await chain.stop();
  });
  return { keptHead: snapshots.keptHead, stop };
}

/** A killed engine leaves its chains running: what they hold is kept before they end. */
async function takeOverLeftOvers(folder: string): Promise<void> {
  const chain = await findLeftOver(folder, "chain");
  if (chain) {
    await keepEnd(folder, chain.address).catch(() => undefined); // It hangs: the last snapshot has to do.
    await endProcess(chain.process, { signal: "SIGTERM", patienceMs: 5_000 });
  }
  const upstream = await findLeftOver(folder, "upstream");
  if (upstream) await endProcess(upstream.process, { signal: "SIGTERM", patienceMs: 5_000 });
}

/** The last snapshot: blocks end, what waits in the pool gets one, and everything is kept. */
async function keepEnd(folder: string, rpcUrl: string): Promise<void> {
  await callNode(rpcUrl, "evm_setIntervalMining", [0]);
  await callNode(rpcUrl, "anvil_mine", ["0x1"]);
  await writeSnapshot(folder, "chain", rpcUrl);
}

/** On Base somebody has given these well-known accounts code that sends on whatever they receive. */
async function takeCodeFromDevelopmentAccounts(rpcUrl: string): Promise<void> {
  for (const { address } of developmentAccounts) await callNode(rpcUrl, "anvil_setCode", [address, "0x"]);
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= action();
    return running;
  };
}

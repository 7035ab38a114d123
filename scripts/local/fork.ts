import { z } from "zod";
import { type Anvil, startAnvil } from "./anvil.ts";
import { callNode, toQuantity } from "./rpc.ts";

const headSchema = z.object({ timestamp: z.string() });

/** anvil's finality on our chains is two blocks, so that three blocks of its own give every tag a state to read. */
const firstBlocks = 3;

/** How a chain makes blocks: one for each transaction at once, or one each so many seconds with all that wait. */
export type Mining = { blockTimeSeconds?: number | undefined };

/**
 * Starts a chain under test: a fork of `upstreamUrl` at its head or at `forkBlock`, with the clock of this machine.
 * `stateFile` brings back what the fork held when it was kept; of only `keptStates` blocks the state is remembered, for
 * chains of thousands of blocks, where remembering it makes each further block slower.
 *
 * Blocks are only made after the clock is set: a fork starts with the time of the block it was forked at, and would
 * otherwise stamp its first blocks before the ones it already has.
 */
export async function startFork(
  options: Mining & {
    upstreamUrl: string;
    forkBlock?: number | undefined;
    stateFile?: string | undefined;
    keptStates?: number | undefined;
    port: number;
    detached: boolean;
  },
): Promise<Anvil> {
  const flags = ["--fork-url", options.upstreamUrl, "--no-rate-limit"];
  if (isLoopback(options.upstreamUrl)) flags.push("--no-storage-caching");
  if (options.forkBlock !== undefined) flags.push("--fork-block-number", String(options.forkBlock));
  if (options.stateFile !== undefined) flags.push("--load-state", options.stateFile);
  if (options.keptStates !== undefined) flags.push("--prune-history", String(options.keptStates));
  const fork = await startAnvil({ port: options.port, flags, detached: options.detached });
  try {
    await setClock(fork.rpcUrl);
    await callNode(fork.rpcUrl, "anvil_mine", [toQuantity(firstBlocks)]);
    await startMining(fork.rpcUrl, options);
  } catch (error) {
    await fork.stop();
    throw error;
  }
  return fork;
}

/** The time now, unless the chain is ahead of it: time never goes back on a chain. */
async function setClock(rpcUrl: string): Promise<void> {
  const head = headSchema.parse(await callNode(rpcUrl, "eth_getBlockByNumber", ["latest", false]));
  await callNode(rpcUrl, "evm_setTime", [Math.max(Math.floor(Date.now() / 1000), Number(head.timestamp))]);
}

async function startMining(rpcUrl: string, { blockTimeSeconds }: Mining): Promise<void> {
  if (blockTimeSeconds === undefined) await callNode(rpcUrl, "evm_setAutomine", [true]);
  else await callNode(rpcUrl, "evm_setIntervalMining", [blockTimeSeconds]);
}

/** anvil keeps what it read of an upstream by block number alone; two local upstreams share numbers, not contents. */
function isLoopback(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);
}

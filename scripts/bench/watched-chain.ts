/** A chain, a database and the engine's own watcher over them, without the rest: for what watching costs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import {
  type Address,
  createPublicClient,
  encodeFunctionData,
  erc20Abi,
  type Hash,
  http,
  multicall3Abi,
} from "viem";
import { createChain } from "../../engine/chain/client.ts";
import { readCursor } from "../../engine/db/cursor.ts";
import { migrate } from "../../engine/db/migrate.ts";
import { createPool, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import type { Context } from "../../engine/services/context.ts";
import { createPlayer } from "../../engine/services/new-player.ts";
import { ensureSpareWallets, prepareWallets } from "../../engine/services/wallets.ts";
import { runWatcher } from "../../engine/workers/watcher.ts";
import { mintToken } from "../local/accounts.ts";
import { createMoneyContext } from "../local/bare-context.ts";
import { localBase } from "../local/chain-definition.ts";
import { startFork } from "../local/fork.ts";
import { minedReceipt } from "../local/mined.ts";
import { startLocalPostgres } from "../local/postgres.ts";
import { callNode, toQuantity } from "../local/rpc.ts";
import { multicall3Address, openworkAddress, usdcAddress } from "../local/tokens.ts";
import { startUpstream } from "../local/upstream.ts";

export interface WatchedChain {
  rpcUrl: string;
  context: Context;
  /** May do everything in the database. */
  owner: pg.Client;
  /** Deposit addresses, one for each player. */
  depositAddresses: Address[];
  /** Makes one block with a transfer of 1 base unit of USDC to each of the recipients, in one transaction. */
  payAll(recipients: readonly string[]): Promise<void>;
  /** Makes empty blocks until everything that was paid is final. */
  finalize(): Promise<void>;
  headNumber(): Promise<bigint>;
  /** Runs the watcher until the books know the newest block. @returns milliseconds */
  catchUp(): Promise<number>;
  stop(): Promise<void>;
}

const units = 10n ** 12n;
const finalityBlocks = 4;
const lookEveryMs = 5;

/** Starts all of it, with so many players; their deposits are playable in their first block. */
export async function startWatchedChain({ players }: { players: number }): Promise<WatchedChain> {
  const dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-bench-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(dataDir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const postgres = await startLocalPostgres({ dataDir: join(dataDir, "postgres"), persist: false });
    ends.push(postgres.stop);
    await migrate(postgres.ownerUrl);
    const upstream = await startUpstream({ port: 0 });
    ends.push(upstream.stop);
    const fork = await startFork({ upstreamUrl: upstream.rpcUrl, port: 0, detached: false });
    ends.push(fork.stop);
    const pool = createPool({ url: postgres.appUrl, maxConnections: 10 });
    ends.push(() => pool.end());
    const owner = new pg.Client({ connectionString: postgres.ownerUrl });
    await owner.connect();
    ends.push(() => owner.end());
    const chain = await createChain({
      rpcUrls: [fork.rpcUrl, fork.wsUrl],
      expectedChainId: localBase.id,
      requestTimeoutMs: 30_000,
    });
    ends.push(() => chain.close());
    await listTokens(pool, [
      { address: openworkAddress, symbol: "OPENWORK", decimals: 18 },
      { address: usdcAddress, symbol: "USDC", decimals: 6 },
    ]);
    const tokens = { openwork: openworkAddress, usdc: usdcAddress };
    const context = await createMoneyContext({ pool, chain, tokens });
    await prepareWallets(context);
    const depositAddresses = await signUp(context, players);
    await mintToken(fork.rpcUrl, usdcAddress, multicall3Address, units);
    return {
      context,
      owner,
      depositAddresses,
      stop,
      ...chainSide(fork.rpcUrl),
      ...booksSide(context, fork.rpcUrl),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function signUp(context: Context, players: number): Promise<Address[]> {
  for (let index = 0; index < players; index += 1) {
    await ensureSpareWallets(context, "deposit");
    const address = toAddress(index);
    await transaction(context.pool, (tx) => createPlayer(context, tx, address));
  }
  const { rows } = await context.pool.query<{ address: Address }>(
    "SELECT address FROM wallet WHERE purpose = 'deposit' AND player_id IS NOT NULL ORDER BY id",
  );
  if (rows.length !== players) throw new Error(`${rows.length} of ${players} players have a deposit address`);
  return rows.map(({ address }) => address);
}

/** An address that nobody has a key for, the same each time. */
export const toAddress = (index: number): Address => `0xbe7c${index.toString(16).padStart(36, "0")}`;

function chainSide(rpcUrl: string): Pick<WatchedChain, "rpcUrl" | "payAll" | "finalize" | "headNumber"> {
  const reader = createPublicClient({ chain: localBase, transport: http(rpcUrl) });
  const payer = toAddress(0xffff);
  return {
    rpcUrl,
    payAll: async (recipients) => {
      await callNode(rpcUrl, "anvil_impersonateAccount", [payer]);
      await callNode(rpcUrl, "anvil_setBalance", [payer, toQuantity(10n ** 20n)]);
      const calls = recipients.map((to) => ({
        target: usdcAddress as Address,
        allowFailure: false,
        callData: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to as Address, 1n] }),
      }));
      const data = encodeFunctionData({ abi: multicall3Abi, functionName: "aggregate3", args: [calls] });
      const call = { from: payer, to: multicall3Address, data, gas: toQuantity(16_000_000) };
      const hash = (await callNode(rpcUrl, "eth_sendTransaction", [call])) as Hash;
      const { status } = await minedReceipt(reader, hash);
      if (status !== "success") throw new Error("the transfers were refused");
    },
    finalize: async () => void (await callNode(rpcUrl, "anvil_mine", [toQuantity(finalityBlocks)])),
    headNumber: () => reader.getBlockNumber({ cacheTime: 0 }),
  };
}

function booksSide(context: Context, rpcUrl: string): Pick<WatchedChain, "catchUp"> {
  const reader = createPublicClient({ chain: localBase, transport: http(rpcUrl) });
  return {
    catchUp: async () => {
      const { hash } = await reader.getBlock();
      const stopping = new AbortController();
      const startedAtMs = performance.now();
      const done = runWatcher(context, { signal: stopping.signal });
      while ((await readCursor(context.pool))?.head_hash !== hash) await delay(lookEveryMs);
      const tookMs = performance.now() - startedAtMs;
      stopping.abort();
      await done;
      return tookMs;
    },
  };
}

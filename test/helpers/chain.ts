import {
  type Address,
  createTestClient,
  http,
  type PublicActions,
  publicActions,
  type TestClient,
  type Transport,
  type WalletActions,
  walletActions,
} from "viem";
import { inject } from "vitest";
import { type Chain, type ChainOptions, createChain } from "../../engine/chain/client.ts";
import * as accounts from "../../scripts/local/accounts.ts";
import { type LocalBase, localBase } from "../../scripts/local/chain-definition.ts";
import { startFork } from "../../scripts/local/fork.ts";
import type { ProcessMark } from "../../scripts/local/processes.ts";
import { callNode, toQuantity } from "../../scripts/local/rpc.ts";
import { openworkAddress, usdcAddress } from "../../scripts/local/tokens.ts";
import { tokenAbi } from "./contracts.ts";
import { type ReorgTransaction, reorganize } from "./reorg.ts";
import { waitFor } from "./wait.ts";

/** Reads, writes and commands a test chain; a transaction names its account itself. */
export type ChainClient = TestClient<"anvil", Transport, LocalBase> &
  PublicActions<Transport, LocalBase> &
  WalletActions<LocalBase>;

export type TestChain = {
  rpcUrl: string;
  wsUrl: string;
  process: ProcessMark;
  /** A transaction sent with it is mined a moment later: wait for its receipt. */
  testClient: ChainClient;
  /** Addresses of the two tokens, lower-case. */
  usdc: Address;
  openwork: Address;
  /** Gives base units of a token to an account, with a `Transfer` log from the zero address. */
  mint(token: Address, to: Address, amount: bigint): Promise<void>;
  /** What an account holds of a token at the head, in base units. */
  balanceOf(token: Address, account: Address): Promise<bigint>;
  setEther(address: Address, wei: bigint): Promise<void>;
  /** Makes blocks with what waits in the pool, then empty ones. */
  mine(blocks?: number): Promise<void>;
  /**
   * Takes away the last `depth` blocks and makes as many others, with the given transactions in their places. Balances
   * set by hand since the common block go too. Not for a chain that makes blocks by the clock.
   */
  reorg(depth: number, transactions?: readonly ReorgTransaction[]): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
};

/**
 * A chain of the caller's own: a fork of the run's upstream, with three blocks of its own. It makes a block for each
 * transaction at once, or one each `blockTimeSeconds`.
 */
export async function startTestChain(
  options: { blockTimeSeconds?: number; keptStates?: number } = {},
): Promise<TestChain> {
  const fork = await startFork({ ...options, upstreamUrl: inject("upstreamUrl"), port: 0, detached: false });
  const { rpcUrl, wsUrl } = fork;
  const client = createChainClient(rpcUrl);
  return {
    rpcUrl,
    wsUrl,
    process: fork.process,
    testClient: client,
    usdc: usdcAddress,
    openwork: openworkAddress,
    mint: (token, to, amount) => accounts.mintToken(rpcUrl, token, to, amount),
    balanceOf: (token, account) =>
      client.readContract({ address: token, abi: tokenAbi, functionName: "balanceOf", args: [account] }),
    setEther: (address, wei) => accounts.setEther(rpcUrl, address, wei),
    mine: async (blocks = 1) => void (await callNode(rpcUrl, "anvil_mine", [toQuantity(blocks)])),
    reorg: (depth, transactions = []) => reorganize(rpcUrl, depth, transactions),
    stop: () => fork.stop(),
  };
}

/** A client for any chain of ours, also one behind a proxy. */
export function createChainClient(rpcUrl: string): ChainClient {
  return createTestClient({ mode: "anvil", chain: localBase, transport: http(rpcUrl), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);
}

/**
 * An engine's connection to nodes that are honest so far. One that has little patience, because they will be silent on
 * purpose, begins anew where a busy machine took too long for the first answer.
 */
export const untilConnected = (options: ChainOptions): Promise<Chain> =>
  waitFor(() => createChain(options), { what: "an answer of a node", timeoutMs: 20_000 });

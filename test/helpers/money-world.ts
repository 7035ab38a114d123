/** An engine without its edges: real Postgres, real chain, real signatures; the test itself decides what runs when. */

import { type Address, encodeFunctionData, erc20Abi, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { Chain } from "../../engine/chain/client.ts";
import { readCursor } from "../../engine/db/cursor.ts";
import { takeLease } from "../../engine/db/lease.ts";
import { createPool, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import type { Context, Settings } from "../../engine/services/context.ts";
import { createPlayer } from "../../engine/services/new-player.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { ensureSpareWallets, prepareWallets } from "../../engine/services/wallets.ts";
import { runWatcher } from "../../engine/workers/watcher.ts";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { deploymentData, deploymentProxy } from "../../wallets/executor.ts";
import { startTestChain, type TestChain, untilConnected } from "./chain.ts";
import { createTestDatabase, longQueues, type TestDatabase } from "./database.ts";
import { waitFor } from "./wait.ts";

export { houseAddress } from "../../scripts/local/bare-context.ts";

export interface MoneyPlayer {
  id: string;
  address: Address;
  depositAddress: Address;
  /** Signs and sends an ERC-20 transfer from the player's own wallet; answers the bytes and their hash once it is mined. */
  pay(input: {
    token: Address;
    to: Address;
    amount: bigint;
    maxFeeWei?: bigint;
  }): Promise<{ raw: Hex; hash: Hex }>;
}

export interface MoneyWorld {
  base: TestChain;
  database: TestDatabase;
  context: Context;
  chain: Chain;
  vault: Address;
  gas: Address;
  /** The fence of the lease that the test holds. */
  fence: number;
  player(): Promise<MoneyPlayer>;
  /** Starts the watcher; it ends with the world, or when called. */
  watch(): () => Promise<void>;
  /** Waits until the books know the newest block. */
  caughtUp(): Promise<void>;
  /** Sends and confirms, with blocks in between, until nothing is under way any more. */
  settle(): Promise<void>;
  held(token: Address, address: Address): Promise<bigint>;
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** What has begun on it and has to end before it does. */
  endsAfter(end: () => Promise<void>): void;
  stop(): Promise<void>;
}

/** One whose watcher runs and knows the newest block. */
export async function createWatchedWorld(settings: Partial<Settings> = {}): Promise<MoneyWorld> {
  const world = await createMoneyWorld(settings);
  world.watch();
  await world.caughtUp();
  return world;
}

/**
 * @param settings what differs from: no caps to speak of, every deposit playable in its first block
 * @param providers how the engine reaches the chain; without it, straight
 * @param requestTimeoutMs short only where a node is silent on purpose: honest answers have to come within it, too
 */
export async function createMoneyWorld(
  settings: Partial<Settings> = {},
  providers?: (base: TestChain) => Promise<string[]>,
  requestTimeoutMs = 60_000,
): Promise<MoneyWorld> {
  const [database, base] = await Promise.all([createTestDatabase(), startTestChain()]);
  const pool = createPool({ url: database.appUrl, maxConnections: 20, ...longQueues });
  const chain = await untilConnected({
    rpcUrls: (await providers?.(base)) ?? [base.rpcUrl, base.wsUrl],
    expectedChainId: 8453,
    requestTimeoutMs,
  });
  await listTokens(pool, [
    { address: base.openwork, symbol: "OPENWORK", decimals: 18 },
    { address: base.usdc, symbol: "USDC", decimals: 6 },
  ]);
  const context = await createMoneyContext({ pool, chain, tokens: base, settings });
  const { vault, gas } = await prepareWallets(context);
  if (context.settings.payouts === "batch") await deployExecutor(base, gas);
  await base.setEther(gas as Address, 10n ** 20n);
  const fence = await takeLease(pool, { name: "chain", holder: "test", forMs: 3_600_000 });
  if (fence === null) throw new Error("the lease of a new database is free");
  const ends: (() => Promise<void>)[] = [];

  const world: MoneyWorld = {
    base,
    database,
    context,
    chain,
    vault: vault as Address,
    gas: gas as Address,
    fence,
    player: () => newPlayer(context, base),
    watch: () => {
      const stopping = new AbortController();
      const done = runWatcher(context, { signal: stopping.signal });
      const stop = async (): Promise<void> => {
        stopping.abort();
        await done;
      };
      ends.push(stop);
      return stop;
    },
    caughtUp: async () => {
      await waitFor(
        async () => {
          // Asked for anew each time: a block that is made on demand may come after the one that was asked for.
          const head = await base.testClient.getBlock();
          return (await readCursor(pool))?.head_hash === head.hash;
        },
        { what: "the newest block in the books", timeoutMs: 20_000 },
      );
    },
    settle: async () => {
      await waitFor(
        async () => {
          await sendRound(context, { fence });
          await base.mine(1);
          await world.caughtUp();
          await confirmRound(context);
          const [open] = await world.query<{ open: string }>(
            "SELECT count(*) AS open FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined')",
          );
          return open?.open === "0";
        },
        { what: "every instruction to be over", timeoutMs: 25_000 },
      );
    },
    held: (token, address) =>
      base.testClient.readContract({
        address: token,
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [address],
      }),
    query: async <Row>(text: string, values: unknown[] = []) =>
      (await pool.query(text, values)).rows as Row[],
    endsAfter: (end) => void ends.push(end),
    stop: async () => {
      await Promise.all(ends.map((end) => end()));
      await chain.close();
      await pool.end();
      await Promise.all([database.drop(), base.stop()]);
    },
  };
  return world;
}

/** By a stranger: whoever deploys it, it is the same. */
async function deployExecutor({ testClient }: TestChain, gasWallet: string): Promise<void> {
  const hash = await testClient.sendTransaction({
    account: developmentSigner(0),
    chain: testClient.chain,
    to: deploymentProxy,
    data: deploymentData(gasWallet),
  });
  await minedReceipt(testClient, hash);
}

async function newPlayer(context: Context, base: TestChain): Promise<MoneyPlayer> {
  const account = privateKeyToAccount(generatePrivateKey());
  const address = account.address.toLowerCase() as Address;
  await ensureSpareWallets(context, "deposit");
  const created = await transaction(context.pool, (tx) => createPlayer(context, tx, address));
  if (typeof created === "string") throw new Error("no wallet was spare");
  const { rows } = await context.pool.query("SELECT address FROM wallet WHERE player_id = $1", [
    created.playerId,
  ]);
  await base.setEther(address, 10n ** 18n);
  let nonce = 0;
  return {
    id: created.playerId,
    address,
    depositAddress: rows[0].address as Address,
    pay: async ({ token, to, amount, maxFeeWei = 10n ** 10n }) => {
      const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, amount] });
      const raw = await account.signTransaction({
        chainId: 8453,
        type: "eip1559",
        to: token,
        data,
        nonce,
        gas: 200_000n,
        maxFeePerGas: maxFeeWei,
        maxPriorityFeePerGas: 10n ** 6n,
      });
      nonce += 1;
      const hash = await base.testClient.sendRawTransaction({ serializedTransaction: raw });
      await minedReceipt(base.testClient, hash);
      return { raw, hash };
    },
  };
}

import { type Address, encodeFunctionData, erc20Abi, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect, it, onTestFinished, vi } from "vitest";
import { createChain } from "../../engine/chain/client.ts";
import type { ChainEvent } from "../../engine/chain/types.ts";
import { readCursor } from "../../engine/db/cursor.ts";
import { createPool, type Pool, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { applyChainEvent } from "../../engine/services/chain-events.ts";
import type { Context } from "../../engine/services/context.ts";
import { createPlayer } from "../../engine/services/new-player.ts";
import { ensureSpareWallets, prepareWallets } from "../../engine/services/wallets.ts";
import { runWatcher } from "../../engine/workers/watcher.ts";
import { mintTokenToEach } from "../../scripts/local/accounts.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createTestDatabase } from "../helpers/database.ts";
import { createMoneyWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { tagBehindHead } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { drawsOf } from "../helpers/seeded-faults.ts";
import { waitFor } from "../helpers/wait.ts";

vi.setConfig({ testTimeout: 240_000 });

const blocks = 500;
const players = 4;
const payers = 160;
const seed = process.env.STORM_SEED ?? "13";

interface Payment {
  raw: Hex;
  /** When it was last put into a block, in blocks of the storm; null: never, or taken out again. */
  minedAt: number | null;
}

it("500 blocks with 5 % reorgs, restarts and lost connections: the ledger of a clean re-index (SAFETY 13)", async () => {
  let proxy: RpcProxy | undefined;
  const world = await createMoneyWorld({}, async ({ rpcUrl, wsUrl }) => {
    proxy = await startRpcProxy(rpcUrl);
    return [proxy.rpcUrl, wsUrl];
  });
  onTestFinished(async () => {
    await world.stop();
    await proxy?.stop();
  });
  const people = [];
  for (let index = 0; index < players; index += 1) people.push(await world.player());
  const payments = await signPayments(
    world,
    people.map(({ depositAddress }) => depositAddress),
  );
  await world.base.mine(40);
  // As on Base, finality is far away; anvil's is two blocks behind the head.
  proxy?.setFaults(tagBehindHead("finalized", 30n), tagBehindHead("safe", 20n));
  const start = await world.base.testClient.getBlock();
  const reorgs = await storm(world, payments);
  expect(reorgs).toBeGreaterThan(10);

  proxy?.setFaults();
  await settled(world, world.context.pool);
  const clean = await reindex(
    world,
    start,
    people.map(({ address }) => address),
  );
  expect(await ledgerOf(world.context.pool)).toEqual(await ledgerOf(clean.pool));
  expect((await ledgerOf(clean.pool)).deposits.length).toBeGreaterThan(30);
  await expectBooksToBalance(world.context, { onChain: true });
  await expectBooksToBalance(clean, { onChain: true });
});

/** Blocks with payments, reorgs that drop or move them, watchers that end and connections that break, as the seed has it. */
async function storm(world: MoneyWorld, payments: Payment[]): Promise<number> {
  const chance = drawsOf(`storm ${seed}`);
  const { testClient } = world.base;
  await testClient.setAutomine(false);
  let stop = world.watch();
  let reorgs = 0;
  for (let block = 0; block < blocks; block += 1) {
    const waiting = payments.filter(({ minedAt }) => minedAt === null);
    if (chance() < 0.35 && waiting.length > 0) {
      const payment = waiting[Math.floor(chance() * waiting.length)] as Payment;
      // Refused when it waits at the node already.
      await testClient.sendRawTransaction({ serializedTransaction: payment.raw }).catch(() => undefined);
      payment.minedAt = block;
    }
    await world.base.mine(1);
    if (chance() < 0.05) {
      // Often after it was credited, else before the watcher has even seen it.
      if (chance() < 0.7) await world.caughtUp();
      await reorganize(world, { payments, block, depth: 1 + Math.floor(chance() * 6), chance });
      reorgs += 1;
    }
    if (chance() < 0.02) {
      await stop();
      stop = world.watch();
    }
    if (chance() < 0.02)
      await world.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
  }
  await testClient.setAutomine(true);
  return reorgs;
}

async function reorganize(
  world: MoneyWorld,
  {
    payments,
    block,
    depth,
    chance,
  }: { payments: Payment[]; block: number; depth: number; chance: () => number },
): Promise<void> {
  const taken = payments.filter(({ minedAt }) => minedAt !== null && minedAt > block - depth);
  const back = taken.filter(() => chance() < 0.6);
  await world.base.reorg(
    depth,
    back.map(({ raw }) => ({ raw, block: Math.floor(chance() * depth) })),
  );
  for (const payment of taken) payment.minedAt = back.includes(payment) ? block : null;
}

/** Each from a wallet of its own, so that any of them may come, go and come again. */
async function signPayments(world: MoneyWorld, to: readonly Address[]): Promise<Payment[]> {
  const { rpcUrl, usdc } = world.base;
  const accounts = Array.from({ length: payers }, () => privateKeyToAccount(generatePrivateKey()));
  await Promise.all(accounts.map(({ address }) => world.base.setEther(address, 10n ** 18n)));
  const addresses = accounts.map(({ address }) => address);
  await mintTokenToEach(rpcUrl, usdc, addresses, 10_000n);
  return Promise.all(
    accounts.map(async (account, index) => {
      const args = [to[index % to.length] as Address, BigInt(index + 1)] as const;
      const raw = await account.signTransaction({
        ...{ chainId: 8453, type: "eip1559", to: usdc, nonce: 0, gas: 200_000n },
        ...{ maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 6n },
        data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args }),
      });
      return { raw, minedAt: null };
    }),
  );
}

/** Until the head is in the books and what counts is final. */
async function settled(world: MoneyWorld, pool: Pool): Promise<void> {
  const last = (await world.base.testClient.getBlock()).number;
  await world.base.mine(6);
  await waitFor(
    async () => {
      const head = await world.base.testClient.getBlock();
      const cursor = await readCursor(pool);
      return cursor?.head_hash === head.hash && cursor.finalized_number >= last;
    },
    { what: "the end of the storm in the books", timeoutMs: 60_000 },
  );
}

/** The same people in an empty database, which reads the chain as it is now. */
async function reindex(
  world: MoneyWorld,
  start: { number: bigint; hash: string; parentHash: string; timestamp: bigint },
  addresses: readonly Address[],
): Promise<Context> {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.appUrl, maxConnections: 5 });
  const { rpcUrl, usdc, openwork } = world.base;
  const chain = await createChain({ rpcUrls: [rpcUrl], expectedChainId: 8453, requestTimeoutMs: 60_000 });
  const stopping = new AbortController();
  let watching: Promise<void> = Promise.resolve();
  onTestFinished(async () => {
    stopping.abort();
    await watching;
    await chain.close();
    await pool.end();
    await database.drop();
  });
  await listTokens(pool, [
    { address: openwork, symbol: "OPENWORK", decimals: 18 },
    { address: usdc, symbol: "USDC", decimals: 6 },
  ]);
  const context = await createMoneyContext({ pool, chain, tokens: world.base });
  await prepareWallets(context);
  for (const address of addresses) {
    await ensureSpareWallets(context, "deposit");
    await transaction(pool, (tx) => createPlayer(context, tx, address));
  }
  const { timestamp: timestampSeconds, ...block } = start;
  const first: ChainEvent = { type: "block", block: { ...block, timestampSeconds }, transfers: [] };
  await applyChainEvent(context, first, { after: null });
  watching = runWatcher(context, { signal: stopping.signal });
  await settled(world, pool);
  return context;
}

/** What the books say in the end, in words that don't depend on how they came to it. */
async function ledgerOf(pool: Pool) {
  const read = async (text: string) => (await pool.query(text)).rows as unknown[];
  return {
    balances: await read(
      `SELECT kind, player_wallet.address, token, balance::text FROM account LEFT JOIN player_wallet USING (player_id)
       WHERE kind <> 'outside' AND balance <> 0 ORDER BY 1, 2, 3`,
    ),
    deposits: await read(
      `SELECT tx_hash, ordinal, deposit.amount::text, block_number::text, deposit.state FROM deposit JOIN chain_log ON chain_log.id = chain_log_id
       WHERE canonical ORDER BY 1, 2`,
    ),
    exposures: await read("SELECT count(*)::text FROM exposure"),
    owed: await read(
      "SELECT kind, sum(amount)::text AS amount FROM instruction WHERE state <> 'cancelled' GROUP BY 1 ORDER BY 1",
    ),
  };
}

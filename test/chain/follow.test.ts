import { type Address, encodeFunctionData, erc20Abi, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { type BlockRef, type ChainEvent, follow, type TransferLog } from "../../engine/chain/follow.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { waitFor } from "../helpers/wait.ts";

const recipient: Address = "0x00000000000000000000000000000000000000aa";
let base: TestChain;
let chain: Chain;

beforeEach(async () => {
  base = await startTestChain();
  chain = await createChain({
    rpcUrls: [base.rpcUrl, base.wsUrl],
    expectedChainId: 8453,
    requestTimeoutMs: 5_000,
  });
});
afterEach(async () => {
  await chain.close();
  await base.stop();
});

/** Reads the follower in the background and keeps the canonical picture that its events add up to. */
function watch(from: { number: bigint; hash: string } | null = null, options: { maxRange?: bigint } = {}) {
  const stopping = new AbortController();
  const events: ChainEvent[] = [];
  const blocks: BlockRef[] = [];
  let transfers: TransferLog[] = [];
  let failure: unknown = null;
  const done = (async () => {
    const tokens = [base.usdc, base.openwork];
    for await (const event of follow(chain, {
      from,
      recentBlocks: [],
      finalized: null,
      tokens,
      pollIntervalMs: 50,
      signal: stopping.signal,
      ...options,
    })) {
      events.push(event);
      if (event.type === "block") {
        blocks.push(event.block);
        transfers.push(...event.transfers);
      } else if (event.type === "reorg") {
        while ((blocks.at(-1)?.number ?? 0n) > event.commonAncestor.number) blocks.pop();
        transfers = transfers.filter(({ blockNumber }) => blockNumber <= event.commonAncestor.number);
      }
    }
  })().catch((error: unknown) => {
    failure = error;
  });
  const has = (hash: string) => () => transfers.find(({ txHash }) => txHash === hash);
  return {
    events,
    blocks,
    transfers: () => transfers,
    sees: (hash: string) => waitFor(has(hash), { what: `transfer ${hash}` }),
    reaches: async () => {
      const head = await base.testClient.getBlock();
      await waitFor(() => blocks.at(-1)?.hash === head.hash, { what: `block ${head.number}` });
    },
    failure: () => failure,
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

async function sender(amount: bigint) {
  const account = privateKeyToAccount(generatePrivateKey());
  await base.setEther(account.address, 10n ** 18n);
  await base.mint(base.usdc, account.address, amount);
  let nonce = 0;
  return async (units: bigint, to: Address = recipient): Promise<{ raw: Hex; hash: Hex }> => {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, units] });
    const raw = await account.signTransaction({
      chainId: 8453,
      type: "eip1559",
      to: base.usdc,
      data,
      nonce,
      gas: 200_000n,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 10n ** 6n,
    });
    nonce += 1;
    const hash = await base.testClient.sendRawTransaction({ serializedTransaction: raw });
    await base.testClient.waitForTransactionReceipt({ hash });
    return { raw, hash };
  };
}

const unbroken = (blocks: BlockRef[]): boolean =>
  blocks.every((block, index) => index === 0 || block.parentHash === blocks[index - 1]?.hash);

describe("following", () => {
  it("yields each block once, in an unbroken line, with its transfers to the unit", async () => {
    const send = await sender(1_000n);
    const watcher = watch();
    await waitFor(() => watcher.events.length > 0, { what: "the start" });
    const { hash } = await send(7n);
    const seen = await watcher.sees(hash);
    expect(seen).toMatchObject({ token: base.usdc, to: recipient, amount: 7n, ordinal: 0 });
    await base.mine(5);
    await watcher.reaches();
    await watcher.stop();
    expect(unbroken(watcher.blocks)).toBe(true);
    expect(watcher.failure()).toBeNull();
  });

  it("takes back what a reorg of any depth orphans, and takes in what comes again", async () => {
    const send = await sender(1_000n);
    await base.mine(3);
    const watcher = watch();
    await waitFor(() => watcher.events.length > 0, { what: "the start" });
    const gone = await send(1n);
    await watcher.sees(gone.hash);
    await base.reorg(1);
    await base.mine(1);
    await watcher.reaches();
    expect(watcher.transfers().some(({ txHash }) => txHash === gone.hash)).toBe(false);
    expect(watcher.events.filter(({ type }) => type === "reorg")).toHaveLength(1);

    await base.testClient.sendRawTransaction({ serializedTransaction: gone.raw });
    const again = await watcher.sees(gone.hash);
    expect(again.ordinal).toBe(0);
    await watcher.stop();
    expect(unbroken(watcher.blocks)).toBe(true);
    expect(watcher.failure()).toBeNull();
  });

  it("reading the past by ranges gives the same transfers as watching them happen", async () => {
    const send = await sender(1_000n);
    const start = await base.testClient.getBlock();
    const live = watch({ number: start.number, hash: start.hash });
    for (let index = 1n; index <= 6n; index += 1n) {
      await send(index);
      await base.mine(1);
    }
    await base.mine(4);
    await live.reaches();
    await live.stop();
    const past = watch({ number: start.number, hash: start.hash }, { maxRange: 3n });
    await past.reaches();
    await past.stop();
    expect(past.transfers()).toEqual(live.transfers());
    expect(live.transfers()).toHaveLength(6);
  });

  it("reports finality, growing only, and safe beside it", async () => {
    const watcher = watch();
    await base.mine(6);
    const head = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(
      () => watcher.events.some((event) => event.type === "finalized" && event.block.number >= head.number),
      { what: "finality" },
    );
    await watcher.stop();
    const numbers = watcher.events.flatMap((event) =>
      event.type === "finalized" ? [event.block.number] : [],
    );
    expect([...numbers].sort((a, b) => Number(a - b))).toEqual(numbers);
  });
});

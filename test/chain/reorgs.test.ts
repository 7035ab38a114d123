import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { DeepReorgError } from "../../engine/chain/errors.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { tagBehindHead } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";
import { createSender, isUnbroken, type Sender, watch } from "./watching.ts";

let base: TestChain;
let proxy: RpcProxy;
let chain: Chain;
let sender: Sender;

beforeEach(async () => {
  base = await startTestChain();
  sender = await createSender(base);
  await base.mine(40);
  proxy = await startRpcProxy(base.rpcUrl);
  // As on Base, finality is far away; anvil's is two blocks behind the head.
  proxy.setFaults(tagBehindHead("finalized", 30n), tagBehindHead("safe", 20n));
  chain = await createChain({
    rpcUrls: [proxy.rpcUrl, proxy.wsUrl],
    expectedChainId: 8453,
    requestTimeoutMs: 60_000,
  });
});
afterEach(async () => {
  await chain.close();
  await proxy.stop();
  await base.stop();
});

describe("a reorg", () => {
  it.each([1, 2, 5, 9])(
    "of %i blocks takes back what it orphans and brings what comes again",
    async (depth) => {
      const watcher = watch(chain, base);
      await watcher.reaches();
      const sent = [];
      for (let index = 0; index < depth; index += 1) sent.push(await sender.send(BigInt(index + 1)));
      await watcher.reaches();
      const before = watcher.transfers();
      expect(before).toHaveLength(depth);

      // All come again in one block, which gives them other log indexes, blocks and times.
      const again = sent.map(({ raw }) => ({ raw, block: depth - 1 }));
      await base.reorg(depth, again);
      await base.mine(1);
      await watcher.reaches();
      await watcher.stop();

      expect(watcher.failure()).toBeNull();
      expect(isUnbroken(watcher.blocks)).toBe(true);
      expect(watcher.reorgs().reduce((sum, { orphaned }) => sum + orphaned.length, 0)).toBeGreaterThanOrEqual(
        depth,
      );
      const after = watcher.transfers();
      const identity = ({ txHash, token, ordinal, amount }: (typeof after)[number]) => ({
        ...{ txHash, token, ordinal, amount },
      });
      expect(after.map(identity)).toEqual(before.map(identity));
      expect(after.every(({ logIndex }, index) => logIndex === index)).toBe(true);
    },
  );

  it("that drops a transfer for good leaves none of it", async () => {
    const watcher = watch(chain, base);
    const kept = await sender.send(1n);
    const gone = await sender.send(2n);
    await watcher.sees(gone.hash);
    await base.reorg(1);
    await base.mine(2);
    await watcher.reaches();
    await watcher.stop();
    expect(watcher.transfers().map(({ txHash }) => txHash)).toEqual([kept.hash]);
  });

  it("while nobody watched is found from the known blocks", async () => {
    const first = watch(chain, base);
    const gone = await sender.send(1n);
    await first.sees(gone.hash);
    await base.mine(2);
    await first.reaches();
    const place = await first.stop();

    await base.reorg(4);
    await base.mine(3);
    const second = watch(chain, base, place);
    await second.reaches();
    await second.stop();
    expect(second.reorgs()).toHaveLength(1);
    expect(second.reorgs()[0]?.orphaned).toHaveLength(4);
    expect(isUnbroken(second.blocks)).toBe(true);
  });

  it("storm ends in the node's own chain", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    for (let round = 0; round < 12; round += 1) {
      await sender.send(BigInt(round + 1));
      if (round % 3 === 2) await base.reorg(1 + (round % 4));
    }
    await base.mine(2);
    await watcher.reaches();
    await watcher.stop();
    expect(watcher.failure()).toBeNull();
    expect(isUnbroken(watcher.blocks)).toBe(true);
    for (const { number, hash } of watcher.blocks) {
      const block = await base.testClient.getBlock({ blockNumber: number });
      expect(hash).toBe(block.hash);
    }
  });

  it("below the finalized block is an error that no retry mends (SAFETY 12)", async () => {
    proxy.setFaults();
    const watcher = watch(chain, base);
    await base.mine(6);
    const head = await base.testClient.getBlock();
    await waitFor(() => watcher.finalized()?.number === head.number - 2n, {
      what: "finality",
      timeoutMs: 20_000,
    });
    await base.reorg(5);
    await base.mine(1);
    const failure = await waitFor(() => watcher.failure(), { what: "the alarm", timeoutMs: 20_000 });
    expect(failure).toBeInstanceOf(DeepReorgError);
    expect((failure as DeepReorgError).retriable).toBe(false);
    await watcher.stop();
    expect(watcher.reorgs()).toHaveLength(0);
  });

  it("below the finalized block is noticed by the next process, too", async () => {
    proxy.setFaults();
    const first = watch(chain, base);
    await base.mine(6);
    const head = await base.testClient.getBlock();
    await waitFor(() => first.finalized()?.number === head.number - 2n, {
      what: "finality",
      timeoutMs: 20_000,
    });
    const place = await first.stop();
    await base.reorg(5);
    await base.mine(1);
    const second = watch(chain, base, place);
    expect(await waitFor(() => second.failure(), { what: "the alarm", timeoutMs: 20_000 })).toBeInstanceOf(
      DeepReorgError,
    );
    await second.stop();
  });
});

describe("a development chain that lost its last blocks", () => {
  it("is followed back to where it still is, and on from there", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    const snapshot = await base.testClient.snapshot();
    const gone = await sender.send(5n);
    await base.mine(2);
    await watcher.sees(gone.hash);
    await watcher.reaches();
    await base.testClient.revert({ id: snapshot });
    await watcher.reaches();
    expect(watcher.transfers()).toEqual([]);
    expect(watcher.reorgs()).toHaveLength(1);
    await base.mine(4);
    await watcher.reaches();
    await watcher.stop();
    expect(isUnbroken(watcher.blocks)).toBe(true);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { DeepReorgError } from "../../engine/chain/errors.ts";
import { header } from "../../engine/chain/shapes.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import {
  emptyLogs,
  forgedLogs,
  ownBranch,
  rangeLimit,
  replyTo,
  stoppedAt,
  tagBehindHead,
} from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";
import { createSender, cursorAt, type Sender, type Watcher, watch } from "./watching.ts";

let base: TestChain;
let proxy: RpcProxy;
let chain: Chain;
let sender: Sender;

beforeEach(async () => {
  base = await startTestChain({ keptStates: 64 });
  sender = await createSender(base);
  proxy = await startRpcProxy(base.rpcUrl);
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

const hashes = (all: readonly { txHash: string }[]): string[] => all.map(({ txHash }) => txHash);

describe("a node that says there are no logs", () => {
  it("isn't believed at the tip: the bloom filter knows better, and the receipts say what it is (SAFETY 25)", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    proxy.setFaults(emptyLogs());
    const { hash } = await sender.send(9n);
    expect(await watcher.sees(hash)).toMatchObject({ amount: 9n, ordinal: 0 });
    await watcher.stop();
    expect(proxy.count("eth_getBlockReceipts")).toBeGreaterThan(0);
  });

  it("isn't believed far below the tip either (SAFETY 25)", async () => {
    const from = await cursorAt(base);
    const sent = [await sender.send(1n), await sender.send(2n)];
    await base.mine(20);
    proxy.setFaults(emptyLogs());
    const watcher = watch(chain, base, { from });
    await watcher.reaches();
    await watcher.stop();
    expect(hashes(watcher.transfers())).toEqual(sent.map(({ hash }) => hash));
  });

  it("and has the receipts without them, too, makes no progress until it tells the truth", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    const emptyReceipts = replyTo("eth_getBlockReceipts", () => ({ result: [] }));
    proxy.setFaults(emptyLogs(), emptyReceipts);
    const { hash } = await sender.send(9n);
    const asked = proxy.count("eth_getBlockReceipts");
    await waitFor(() => proxy.count("eth_getBlockReceipts") > asked + 3, {
      what: "more questions",
      timeoutMs: 20_000,
    });
    const { number } = await cursorAt(base);
    expect(watcher.blocks.at(-1)?.number).toBeLessThan(number);
    // Well again with each other answer, for a moment.
    await waitFor(() => chain.health()[0]?.ok === false, { what: "the failure", everyMs: 1 });
    proxy.setFaults();
    await watcher.sees(hash);
    await watcher.stop();
  });
});

describe("a node that names a head which isn't there", () => {
  it("far above all others holds up nobody, as long as one other tells the truth", async () => {
    const both = await createChain({
      rpcUrls: [proxy.rpcUrl, base.rpcUrl],
      expectedChainId: 8453,
      requestTimeoutMs: 60_000,
    });
    const watcher = watch(both, base);
    await watcher.reaches();
    proxy.setFaults(
      replyTo("eth_getBlockByNumber", async ({ params: [asked], forward }) => {
        if (asked !== "latest") return undefined;
        const reply = await forward();
        if (typeof reply !== "object" || !("result" in reply)) return reply;
        const head = reply.result as { number: string };
        return { result: { ...head, number: `0x${(BigInt(head.number) + 1_000_000n).toString(16)}` } };
      }),
    );
    await waitFor(() => (both.health()[0]?.headNumber ?? 0n) > 1_000_000n, { what: "the lie to be heard" });
    expect(await watcher.sees((await sender.send(9n)).hash)).toMatchObject({ amount: 9n });
    await watcher.stop();
    await both.close();
  });
});

describe("one of three nodes", () => {
  const three = () =>
    createChain({
      rpcUrls: [proxy.rpcUrl, base.rpcUrl, base.rpcUrl],
      expectedChainId: 8453,
      requestTimeoutMs: 60_000,
    });
  const isFinal = (watcher: Watcher, block: { hash: string }): Promise<true> =>
    waitFor(() => watcher.finalized()?.hash === block.hash, { what: "finality", timeoutMs: 20_000 });

  it("that tells of a longer branch of its own keeps nothing from being final (SAFETY 26)", async () => {
    const chainOfThree = await three();
    const watcher = watch(chainOfThree, base);
    await watcher.reaches();
    const { number } = await cursorAt(base);
    proxy.setFaults(ownBranch(number + 1n));
    const { hash } = await sender.send(9n);
    // Block by block, so that what is final is always below where its branch has led.
    for (let mined = 0; mined < 5; mined += 1) {
      await base.mine(1);
      const head = (await cursorAt(base)).number;
      await waitFor(() => (watcher.blocks.at(-1)?.number ?? 0n) >= head, {
        what: "a branch as long as the chain",
        timeoutMs: 20_000,
      });
    }
    await isFinal(watcher, await base.testClient.getBlock({ blockTag: "finalized" }));
    expect(await watcher.sees(hash)).toMatchObject({ amount: 9n });
    await watcher.stop();
    expect(watcher.failure()).toBeNull();
    await chainOfThree.close();
  });

  it("that stands by a final block which the others have left silences no alarm (SAFETY 12)", async () => {
    const chainOfThree = await three();
    const watcher = watch(chainOfThree, base);
    await base.mine(6);
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await isFinal(watcher, final);
    const result = await callNode(base.rpcUrl, "eth_getBlockByNumber", [
      `0x${final.number.toString(16)}`,
      false,
    ]);
    proxy.setFaults(
      replyTo("eth_getBlockByNumber", ({ params: [asked] }) =>
        asked === (result as { number: string }).number ? { result } : undefined,
      ),
    );
    await base.reorg(5);
    await base.mine(1);
    const failure = await waitFor(() => watcher.failure(), { what: "the alarm", timeoutMs: 20_000 });
    expect(failure).toBeInstanceOf(DeepReorgError);
    await watcher.stop();
    await chainOfThree.close();
  });
});

it("a block that somebody has stuffed with 30,000 logs is read all the same", async () => {
  const watcher = watch(chain, base);
  await watcher.reaches();
  proxy.setFaults(
    replyTo("eth_getLogs", async ({ forward }) => {
      const reply = await forward();
      const [log] = typeof reply === "object" && "result" in reply ? (reply.result as unknown[]) : [];
      return log === undefined ? reply : { result: Array.from({ length: 30_000 }, () => log) };
    }),
  );
  expect(await watcher.sees((await sender.send(9n)).hash)).toMatchObject({ amount: 9n });
  await watcher.stop();
  expect(proxy.count("eth_getBlockReceipts")).toBe(0);
});

describe("a block that can't be right", () => {
  it.each(["timestamp", "number"])("is refused for its %s, which no column holds", async (field) => {
    const block = (await callNode(base.rpcUrl, "eth_getBlockByNumber", ["latest", false])) as object;
    expect(header.safeParse(block).success).toBe(true);
    expect(header.safeParse({ ...block, [field]: `0x1${"0".repeat(63)}` }).success).toBe(false);
  });
});

describe("logs that can't be right", () => {
  const otherBlock = `0x${"ab".repeat(32)}`;
  it.each([
    ["of another block", (log: Record<string, unknown>) => ({ ...log, blockHash: otherBlock })],
    ["of another block number", (log: Record<string, unknown>) => ({ ...log, blockNumber: "0x1" })],
    [
      "of a token that wasn't asked for",
      (log: Record<string, unknown>) => ({ ...log, address: `0x${"12".repeat(20)}` }),
    ],
    [
      "of another listed token, which the block's bloom doesn't hold",
      (log: Record<string, unknown>) => ({ ...log, address: base.openwork }),
    ],
    ["that were taken back", (log: Record<string, unknown>) => ({ ...log, removed: true })],
    [
      "with a topic missing",
      (log: Record<string, unknown>) => ({ ...log, topics: (log.topics as string[]).slice(0, 2) }),
    ],
    [
      "with a topic too many",
      (log: Record<string, unknown>) => ({ ...log, topics: [...(log.topics as string[]), otherBlock] }),
    ],
    [
      "with a recipient that is no address",
      (log: Record<string, unknown>) => ({
        ...log,
        topics: [...(log.topics as string[]).slice(0, 2), otherBlock],
      }),
    ],
    ["with data of another size", (log: Record<string, unknown>) => ({ ...log, data: `${log.data}00` })],
    [
      "with an index beyond any block's",
      (log: Record<string, unknown>) => ({ ...log, logIndex: "0x80000000" }),
    ],
    ["in no form at all", () => "log"],
  ])("%s are refused, and nothing is taken for granted", async (_, change) => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    proxy.setFaults(forgedLogs(change));
    const { hash } = await sender.send(9n);
    const asked = proxy.count("eth_getLogs");
    await waitFor(() => proxy.count("eth_getLogs") > asked + 3, {
      what: "more questions",
      timeoutMs: 20_000,
    });
    expect(watcher.transfers()).toEqual([]);
    proxy.setFaults();
    expect((await watcher.sees(hash)).amount).toBe(9n);
    await watcher.stop();
    expect(watcher.failure()).toBeNull();
  });

  it("twice the same log counts once", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    proxy.setFaults(
      replyTo("eth_getLogs", async ({ forward }) => {
        const reply = await forward();
        return typeof reply === "object" && "result" in reply
          ? { result: [...(reply.result as unknown[]), ...(reply.result as unknown[])] }
          : reply;
      }),
    );
    const { hash } = await sender.send(9n);
    await watcher.sees(hash);
    await watcher.stop();
    expect(hashes(watcher.transfers())).toEqual([hash]);
  });
});

describe("limits and lags", () => {
  it("ten thousand blocks behind with a range limit of 10: nothing is skipped (SAFETY 25)", async () => {
    const from = await cursorAt(base);
    const sent = [];
    for (let index = 0; index < 6; index += 1) {
      sent.push(await sender.send(BigInt(index + 1)));
      await base.mine(1_666);
    }
    proxy.setFaults(rangeLimit(10n));
    const watcher = watch(chain, base, { from });
    await watcher.reaches();
    await watcher.stop();
    expect(hashes(watcher.transfers())).toEqual(sent.map(({ hash }) => hash));
    expect(watcher.failure()).toBeNull();
    // By ranges still, not block by block.
    expect(proxy.count("eth_getLogs")).toBeLessThan(1_500);
  });

  it("a stale head holds up, but takes nothing back, and finality that goes back moves nothing (SAFETY 12)", async () => {
    const watcher = watch(chain, base);
    const { hash } = await sender.send(1n);
    await watcher.sees(hash);
    await base.mine(8);
    await watcher.reaches();
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(() => watcher.finalized()?.hash === final.hash, { what: "finality", timeoutMs: 20_000 });

    proxy.setFaults(tagBehindHead("latest", 5n), tagBehindHead("finalized", 9n));
    await waitFor(() => chain.health()[0]?.lastError?.includes("final before"), {
      what: "the doubt",
      timeoutMs: 20_000,
    });
    const polls = proxy.count("eth_getBlockByNumber");
    await waitFor(() => proxy.count("eth_getBlockByNumber") > polls + 30, {
      what: "ten polls",
      timeoutMs: 20_000,
    });
    expect(watcher.reorgs()).toEqual([]);
    expect(watcher.finalized()?.hash).toBe(final.hash);
    proxy.setFaults();
    await base.mine(1);
    await watcher.reaches();
    await watcher.stop();
    expect(watcher.reorgs()).toEqual([]);
  });

  it("a head that is stale by one block on a development chain is no loss, as long as the block is there", async () => {
    const watcher = watch(chain, base);
    await base.mine(8);
    await watcher.reaches();
    proxy.setFaults(tagBehindHead("latest", 1n));
    const polls = proxy.count("eth_getBlockByNumber");
    await waitFor(() => proxy.count("eth_getBlockByNumber") > polls + 30, {
      ...{ what: "ten polls", timeoutMs: 20_000 },
    });
    await watcher.stop();
    expect(watcher.reorgs()).toEqual([]);
  });

  const forgedFinality = replyTo("eth_getBlockByNumber", async ({ params: [tag], forward }) => {
    if (tag !== "finalized" && tag !== "safe") return undefined;
    const reply = await forward("eth_getBlockByNumber", ["latest", false]);
    if (typeof reply !== "object" || !("result" in reply)) return reply;
    return { result: { ...(reply.result as object), hash: `0x${"cd".repeat(32)}` } };
  });
  const seesTheForgery = () =>
    waitFor(() => chain.health()[0]?.lastError?.includes("another than ours"), {
      ...{ what: "the doubt", timeoutMs: 20_000 },
    });

  it("a finalized block that isn't ours moves nothing (SAFETY 12)", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    proxy.setFaults(forgedFinality);
    await seesTheForgery();
    const before = watcher.finalized();
    await base.mine(6);
    await watcher.reaches();
    await seesTheForgery();
    expect(watcher.finalized()).toEqual(before);
    await watcher.stop();
  });

  it("a finalized block that isn't ours moves nothing for a watcher that is far behind either (SAFETY 12)", async () => {
    const from = await cursorAt(base);
    await base.mine(40);
    proxy.setFaults(forgedFinality);
    const watcher = watch(chain, base, { from });
    await watcher.reaches();
    await seesTheForgery();
    expect(watcher.finalized()).toBeNull();
    proxy.setFaults();
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(() => watcher.finalized()?.hash === final.hash, { what: "finality", timeoutMs: 20_000 });
    await watcher.stop();
  });

  it("without a finalized block nothing becomes final (SAFETY 12)", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    proxy.setFaults(
      replyTo("eth_getBlockByNumber", ({ params: [tag] }) =>
        tag === "finalized" ? { result: null } : undefined,
      ),
    );
    await waitFor(() => chain.health()[0]?.lastError?.includes("no finalized"), {
      what: "the doubt",
      timeoutMs: 20_000,
    });
    const before = watcher.finalized();
    await base.mine(6);
    await watcher.reaches();
    expect(watcher.finalized()).toEqual(before);
    proxy.setFaults();
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(() => watcher.finalized()?.hash === final.hash, { what: "finality", timeoutMs: 20_000 });
    await watcher.stop();
  });

  it("a real chain that seems shorter is a provider that lags: nothing is taken back", async () => {
    const real = replyTo("web3_clientVersion", () => ({ result: "reth/v1.9.3" }));
    proxy.setFaults(real);
    const watcher = watch(chain, base);
    await base.mine(5);
    await watcher.reaches();
    const { number } = await cursorAt(base);
    proxy.setFaults(real, stoppedAt(number - 1n));
    const polls = proxy.count("eth_getBlockByNumber");
    await waitFor(() => proxy.count("eth_getBlockByNumber") > polls + 30, {
      what: "ten polls",
      timeoutMs: 20_000,
    });
    expect(watcher.reorgs()).toEqual([]);
    proxy.setFaults(real);
    await base.mine(1);
    await watcher.reaches();
    await watcher.stop();
    expect(watcher.reorgs()).toEqual([]);
  });
});

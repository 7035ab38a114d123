import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import type { Sighting } from "../../engine/chain/types.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { startTestChain, type TestChain, untilConnected } from "../helpers/chain.ts";
import { startHeadInventor } from "../helpers/head-inventor.ts";
import { emptyLogs, otherChainId, replyTo } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";
import { createSender, watch } from "./watching.ts";

let base: TestChain;
let proxy: RpcProxy;
let chain: Chain;
/** So long that whatever is seen sooner came through the socket. */
const never = 3_600_000;
/** A socket that is only slow on a busy machine isn't given up: what comes meanwhile would be missed without a poll. */
const patienceMs = 60_000;

beforeEach(async () => {
  base = await startTestChain();
  proxy = await startRpcProxy(base.rpcUrl);
  chain = await connect(patienceMs);
});
afterEach(async () => {
  await chain.close();
  await proxy.stop();
  await base.stop();
});

const connect = (requestTimeoutMs: number): Promise<Chain> =>
  untilConnected({
    ...{ rpcUrls: [proxy.rpcUrl, proxy.wsUrl], expectedChainId: 8453, requestTimeoutMs },
    silenceMs: 200,
  });
const socketIsWell = () =>
  waitFor(() => chain.health()[1]?.ok === true, { what: "the socket", timeoutMs: 20_000 });

describe("a WebSocket", () => {
  it("brings a block without waiting for a poll", async () => {
    const sender = await createSender(base);
    const watcher = watch(chain, base, { pollIntervalMs: never });
    await socketIsWell();
    const { hash } = await sender.send(1n);
    expect((await watcher.sees(hash)).txHash).toBe(hash);
    await watcher.stop();
  });

  it("that is cut off is opened again, and nothing is missed (SAFETY 27)", async () => {
    const sender = await createSender(base);
    const watcher = watch(chain, base, { pollIntervalMs: never });
    await socketIsWell();
    // Nothing is behind the proxy until the block is there: no socket that opens again can tell of it.
    proxy.setTarget("http://127.0.0.1:1");
    proxy.cutSockets();
    await waitFor(() => chain.health()[1]?.ok === false, { what: "the loss", everyMs: 1 });
    const missed = await sender.send(1n);
    proxy.setTarget(base.rpcUrl);
    await waitFor(() => proxy.socketsOpened() > 1, { what: "a new connection", timeoutMs: 20_000 });
    await socketIsWell();
    const seen = await sender.send(2n);
    await watcher.sees(seen.hash);
    await watcher.sees(missed.hash);
    await watcher.stop();
  });

  it("that is only half open is noticed and replaced; polling goes on meanwhile (SAFETY 27)", async () => {
    await chain.close();
    chain = await connect(1_500);
    const sender = await createSender(base);
    const watcher = watch(chain, base, { pollIntervalMs: 50 });
    await socketIsWell();
    proxy.freezeSockets();
    const { hash } = await sender.send(1n);
    await watcher.sees(hash);
    await waitFor(() => proxy.socketsOpened() > 1, { what: "a new connection", timeoutMs: 20_000 });
    await socketIsWell();
    await watcher.stop();
  });

  it("of a node that isn't asked over HTTP announces blocks, and isn't asked what they hold", async () => {
    const stranger = await startRpcProxy(base.rpcUrl);
    stranger.setFaults(emptyLogs());
    const other = await createChain({
      ...{ rpcUrls: [proxy.rpcUrl, stranger.wsUrl], expectedChainId: 8453, requestTimeoutMs: patienceMs },
    });
    try {
      const sender = await createSender(base);
      const watcher = watch(other, base, { pollIntervalMs: never });
      await waitFor(() => other.health()[1]?.ok === true, { what: "the socket", timeoutMs: 20_000 });
      const { hash } = await sender.send(1n);
      expect((await watcher.sees(hash)).amount).toBe(1n);
      expect(stranger.count("eth_getLogs")).toBe(0);
      await watcher.stop();
    } finally {
      await other.close();
      await stranger.stop();
    }
  });

  it("that announces blocks of its own making without end keeps none of the chain's from being seen", async () => {
    const inventor = await startHeadInventor(base.rpcUrl);
    const misled = await createChain({
      ...{ rpcUrls: [proxy.rpcUrl, inventor.wsUrl], expectedChainId: 8453, requestTimeoutMs: patienceMs },
    });
    try {
      const sender = await createSender(base);
      const watcher = watch(misled, base, { pollIntervalMs: 100 });
      await waitFor(() => inventor.announced() > 100, { what: "the announcements", timeoutMs: 20_000 });
      for (const amount of [1n, 2n, 3n]) {
        const { hash } = await sender.send(amount);
        expect((await watcher.sees(hash)).amount).toBe(amount);
      }
      await watcher.stop();
    } finally {
      await misled.close();
      await inventor.stop();
    }
  });

  it("tells of a token's transfers by itself, unless it is a stranger's", async () => {
    const stranger = await startRpcProxy(base.rpcUrl);
    const other = await createChain({
      ...{ rpcUrls: [proxy.rpcUrl, stranger.wsUrl], expectedChainId: 8453, requestTimeoutMs: patienceMs },
    });
    const sightings: Sighting[] = [];
    const strange: Sighting[] = [];
    const heads: bigint[] = [];
    const tokens = [base.usdc];
    try {
      const unwatch = chain.watchHeads({
        ...{ tokens, heard: () => undefined },
        sighted: (sighting) => sightings.push(sighting),
      });
      const unwatchOther = other.watchHeads({
        ...{ tokens, heard: ({ number }) => heads.push(number) },
        sighted: (sighting) => strange.push(sighting),
      });
      await waitFor(() => chain.health()[1]?.ok === true && other.health()[1]?.ok === true, {
        ...{ what: "the sockets", timeoutMs: 20_000 },
      });
      const sender = await createSender(base);
      const sent = [await sender.send(1n), await sender.send(2n)];
      await waitFor(() => sent.every(({ hash }) => sightings.some(({ txHash }) => txHash === hash)), {
        ...{ what: "the sightings", timeoutMs: 20_000 },
      });
      const number = BigInt(String(await callNode(base.rpcUrl, "eth_blockNumber")));
      await base.mine(1);
      await waitFor(() => heads.some((head) => head > number), { what: "a later head", timeoutMs: 20_000 });
      expect(strange).toEqual([]);
      unwatch();
      unwatchOther();
    } finally {
      await other.close();
      await stranger.stop();
    }
  });

  it("that announces a block and doesn't say what it holds is asked once, and the nodes instead", async () => {
    const sender = await createSender(base);
    const watcher = watch(chain, base, { pollIntervalMs: never });
    await socketIsWell();
    await watcher.reaches();
    const before = proxy.count("eth_getLogs");
    let questions = 0;
    proxy.setFaults(
      replyTo("eth_getLogs", () => {
        questions += 1;
        return questions === 1 ? "hang" : undefined;
      }),
    );
    await watcher.sees((await sender.send(1n)).hash);
    expect(proxy.count("eth_getLogs") - before).toBe(2);
    await watcher.sees((await sender.send(2n)).hash);
    expect(proxy.count("eth_getLogs") - before).toBe(3);
    await watcher.stop();
  });

  it("to another chain is not listened to", async () => {
    const other = await startTestChain();
    const quiet = await createChain({
      ...{ rpcUrls: [proxy.rpcUrl, proxy.wsUrl], expectedChainId: 8453, requestTimeoutMs: patienceMs },
      silenceMs: never,
    });
    try {
      await callNode(other.rpcUrl, "anvil_setChainId", [1]);
      proxy.setTarget(other.rpcUrl);
      proxy.setFaults(otherChainId(8453n));
      const heard: unknown[] = [];
      const unwatch = quiet.watchHeads({
        heard: (head) => heard.push(head),
        tokens: [],
        sighted: () => undefined,
      });
      await waitFor(() => quiet.health()[1]?.lastError?.includes("is on chain 1"), {
        ...{ what: "the refusal", timeoutMs: 20_000 },
      });
      await other.mine(1);
      // Those that were open when the block came have been closed since.
      const opened = proxy.socketsOpened();
      await waitFor(() => proxy.socketsOpened() >= opened + 2, {
        ...{ what: "more connections", timeoutMs: 20_000 },
      });
      expect(quiet.health()[1]?.ok).toBe(false);
      expect(heard).toEqual([]);
      unwatch();
    } finally {
      await quiet.close();
      await other.stop();
    }
  });
});

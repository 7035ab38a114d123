import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { RpcRefusedError, RpcUnavailableError, WrongChainError } from "../../engine/chain/errors.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { startTestChain, type TestChain, untilConnected } from "../helpers/chain.ts";
import { everything, html, otherChainId, replyTo, stoppedAt, stuckOn } from "../helpers/rpc-faults.ts";
import { type RpcProxy, type RpcReply, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";
import { createSender, watch } from "./watching.ts";

let base: TestChain;
let first: RpcProxy;
let second: RpcProxy;
const open: Chain[] = [];

beforeEach(async () => {
  base = await startTestChain();
  [first, second] = await Promise.all([startRpcProxy(base.rpcUrl), startRpcProxy(base.rpcUrl)]);
});
afterEach(async () => {
  for (const chain of open.splice(0)) await chain.close();
  await Promise.all([first.stop(), second.stop()]);
  await base.stop();
});

/** Longer than any answer takes on a busy machine. */
const patienceMs = 60_000;
/** For those that never answer. The others have to answer within it, too. */
const shortPatienceMs = 4_000;

async function connect(rpcUrls: string[], requestTimeoutMs = patienceMs): Promise<Chain> {
  const chain = await createChain({ rpcUrls, expectedChainId: 8453, requestTimeoutMs });
  open.push(chain);
  return chain;
}
const both = () => [first.rpcUrl, second.rpcUrl];
const headNumber = (chain: Chain) => chain.ask("eth_blockNumber", [], z.string());

const packed = (text: string) => ({
  http: {
    ...{ status: 200, type: "application/json", body: gzipSync(text) },
    headers: { "content-encoding": "gzip" },
  },
});

const redirection = (said: object) => ({
  ...{ status: 307, type: "application/json", body: JSON.stringify({ id: 0, ...said }) },
  headers: { location: "/" },
});

it("a packed answer is unpacked", async () => {
  const chain = await connect([first.rpcUrl]);
  first.setFaults(replyTo("eth_blockNumber", () => packed('{"id":0,"result":"0x11"}')));
  expect(await headNumber(chain)).toBe("0x11");
});

describe("a provider of another chain", () => {
  it("is refused at the start, by name (SAFETY 26)", async () => {
    second.setFaults(otherChainId(1n));
    await expect(connect(both())).rejects.toThrow(WrongChainError);
    await expect(connect(both())).rejects.toMatchObject({ code: "wrong_chain", retriable: false });
  });

  it("is refused after a failure, and the other one answers (SAFETY 26)", async () => {
    const chain = await connect(both());
    first.setFaults(everything("cut"));
    await headNumber(chain);
    first.setFaults(otherChainId(10n));
    second.setFaults(everything("cut"));
    await expect(headNumber(chain)).rejects.toThrow(RpcUnavailableError);
    expect(first.count("eth_blockNumber")).toBe(1); // Only the one that was cut off.
    expect(chain.health()[0]).toMatchObject({ ok: false, lastError: expect.stringContaining("chain 10") });
    second.setFaults();
    await headNumber(chain);
  });
});

describe("a provider that fails", () => {
  it.each([
    ["HTML", html],
    ["a closed connection", "cut" as const],
    ["silence", "hang" as const],
    ["an answer that never ends", "trickle" as const],
    ["null", { result: null }],
    ["a number instead of hex", { result: 17 }],
    ["bad hex", { result: "0xzz" }],
    ["429", { http: { status: 429, type: "application/json", body: '{"error":"slow down"}' } }],
  ])("by %s is passed over, and its health says why (SAFETY 27)", async (_, reply) => {
    const isEndless = reply === "hang" || reply === "trickle";
    const chain = await connect(both(), isEndless ? shortPatienceMs : patienceMs);
    const asked: string[] = [];
    const notes = (name: string, answer?: RpcReply) =>
      replyTo("eth_blockNumber", () => {
        asked.push(name);
        return answer;
      });
    first.setFaults(notes("first", reply));
    second.setFaults(notes("second"));
    const hex = z.string().regex(/^0x[0-9a-f]+$/);
    const startedAtMs = performance.now();
    expect(BigInt(await chain.ask("eth_blockNumber", [], hex))).toBeGreaterThan(0n);
    // Whoever gives an answer, whatever it is, is passed over sooner than whoever gives none.
    expect(performance.now() - startedAtMs).toBeLessThan(patienceMs);
    const [failed, well] = chain.health();
    expect(failed).toMatchObject({ ok: false, lastError: expect.any(String) });
    expect(well).toMatchObject({ ok: true, lastError: null });
    // It isn't asked first again until it is well.
    const before = asked.length;
    await chain.ask("eth_blockNumber", [], hex);
    expect(asked[before]).toBe("second");
  });

  it("by an answer that is too big isn't read to its end, right as it may be (SAFETY 27)", async () => {
    const chain = await connect([first.rpcUrl]);
    first.setFaults(replyTo("eth_blockNumber", () => ({ result: `0x${"0".repeat(80_000_000)}1` })));
    await expect(headNumber(chain)).rejects.toThrow(/more than \d+ bytes/);
  });

  it("by 200 MB is passed over, and they aren't kept in memory (SAFETY 27)", async () => {
    const chain = await connect(both());
    const piece = Buffer.alloc(1_000_000, "0");
    const offered = { pieces: 200, taken: 0 };
    const held = () => process.memoryUsage().arrayBuffers;
    const beforeBytes = held();
    let mostBytes = 0;
    function* pieces(): Generator<Buffer> {
      for (; offered.taken < offered.pieces; offered.taken += 1) {
        mostBytes = Math.max(mostBytes, held() - beforeBytes);
        yield piece;
      }
    }
    const type = "application/json";
    const body = Readable.from(pieces(), { objectMode: false, highWaterMark: piece.length });
    first.setFaults(replyTo("eth_blockNumber", () => ({ http: { status: 200, type, body } })));
    expect(BigInt(await headNumber(chain))).toBeGreaterThan(0n);
    expect(chain.health()[0]).toMatchObject({
      ok: false,
      lastError: expect.stringMatching(/more than \d+ bytes/),
    });
    // What is on its way between the two is more than what was read, and a small part of what there was.
    expect(offered.taken).toBeLessThan(offered.pieces / 2);
    expect(mostBytes).toBeLessThan((offered.pieces * piece.length) / 2);
  });

  it("by a small answer that unpacks to a big one isn't unpacked to its end (SAFETY 27)", async () => {
    const chain = await connect([first.rpcUrl]);
    first.setFaults(replyTo("eth_blockNumber", () => packed(`{"result":"0x${"0".repeat(80_000_000)}1"}`)));
    await expect(headNumber(chain)).rejects.toThrow(/more than \d+ bytes/);
  });

  it.each([
    ["what was packed and can't be unpacked", { ...packed("0x1").http, body: "0x1" }],
    ["a redirection that says a result", redirection({ result: "0x1" })],
    ["a redirection that refuses", redirection({ error: { code: 3, message: "execution reverted" } })],
  ])("by %s is passed over (SAFETY 27)", async (_, http) => {
    const chain = await connect([first.rpcUrl]);
    first.setFaults(replyTo("eth_blockNumber", () => ({ http })));
    await expect(headNumber(chain)).rejects.toThrow(RpcUnavailableError);
    expect(chain.health()[0]).toMatchObject({ ok: false, lastError: expect.any(String) });
  });

  it("makes an error after a bounded time when there is no other", async () => {
    const chain = await untilConnected({
      ...{ rpcUrls: [first.rpcUrl], expectedChainId: 8453, requestTimeoutMs: 1_000 },
    });
    open.push(chain);
    first.setFaults(everything("hang"));
    const startedAtMs = performance.now();
    await expect(headNumber(chain)).rejects.toMatchObject({ code: "rpc_unavailable", retriable: true });
    expect(performance.now() - startedAtMs).toBeLessThan(patienceMs);
  });

  it("at the start leaves the engine to the other; none at all is an error that names them", async () => {
    first.setFaults(everything(html));
    const chain = await connect(both());
    await headNumber(chain);
    second.setFaults(everything(html));
    await expect(connect(both())).rejects.toThrow(/No node answers: http:\/\/127.0.0.1.*502/);
  });

  it("says no for a reason that lasts: it isn't asked again and again", async () => {
    const chain = await connect([first.rpcUrl]);
    await expect(chain.ask("eth_noSuchMethod", [], z.string())).rejects.toThrow(RpcRefusedError);
    expect(first.count("eth_noSuchMethod")).toBe(1);
  });
});

describe("health", () => {
  it("shows no secrets, and how far a provider is behind", async () => {
    await base.mine(20);
    const head = await base.testClient.getBlockNumber();
    second.setFaults(stoppedAt(head - 20n));
    const chain = await connect([`${first.rpcUrl}/v2/secret-key?token=hidden`, second.rpcUrl]);
    const watcher = watch(chain, base);
    await waitFor(() => chain.health()[1]?.lagBlocks === 20, { what: "the lag", timeoutMs: 20_000 });
    const [well, behind] = chain.health();
    expect(well).toEqual({
      url: first.rpcUrl,
      ok: true,
      lastError: null,
      disagreement: null,
      headNumber: head,
      lagBlocks: 0,
    });
    expect(behind).toMatchObject({ ok: true, headNumber: head - 20n, lagBlocks: 20 });
    expect(JSON.stringify(chain.health(), (_, value) => String(value))).not.toMatch(/secret|hidden/);
    await watcher.stop();
  });

  it("a password in an address is sent as a header and never shown", async () => {
    const chain = await connect([first.rpcUrl.replace("//", "//somebody:secret@")]);
    await headNumber(chain);
    expect(chain.health()[0]?.url).toBe(first.rpcUrl);
  });
});

describe("two providers", () => {
  it("one 20 blocks behind: nothing is skipped, nothing is taken back, final is what both call final (SAFETY 25)", async () => {
    const chain = await connect(both());
    const sender = await createSender(base);
    const watcher = watch(chain, base);
    await watcher.reaches();
    const stop = await base.testClient.getBlockNumber();
    first.setFaults(stoppedAt(stop));
    await polls(first, 3); // Whatever it said before has been heard.
    const sent = [];
    for (let index = 0; index < 20; index += 1) sent.push(await sender.send(BigInt(index + 1)));
    await watcher.sees(sent.at(-1)?.hash ?? "");
    await watcher.reaches();
    expect(watcher.transfers().map(({ txHash }) => txHash)).toEqual(sent.map(({ hash }) => hash));
    expect(watcher.reorgs()).toEqual([]);
    expect(watcher.finalized()?.number).toBeLessThanOrEqual(stop);

    first.setFaults();
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(() => watcher.finalized()?.hash === final.hash, { what: "finality", timeoutMs: 20_000 });
    await watcher.stop();
  });

  it("one dead: the chain is followed, and nothing becomes final on the other's word alone (SAFETY 26)", async () => {
    const chain = await connect(both());
    const sender = await createSender(base);
    const watcher = watch(chain, base);
    await watcher.reaches();
    second.setFaults(everything("cut"));
    // Asked anew after a failure, so that what it said before doesn't count any more.
    await questions(second, "eth_chainId", 1);
    expect(chain.health()[1]?.ok).toBe(false);
    const before = watcher.finalized()?.number;
    const { hash } = await sender.send(1n);
    await base.mine(10);
    await watcher.sees(hash);
    await watcher.reaches();
    expect(watcher.finalized()?.number).toBe(before);
    second.setFaults();
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(() => watcher.finalized()?.hash === final.hash, { what: "finality", timeoutMs: 20_000 });
    await watcher.stop();
  });

  it("that don't agree on the final block don't start anything", async () => {
    const chain = await connect(both());
    second.setFaults(
      replyTo("eth_getBlockByNumber", async ({ forward }) => {
        const reply = await forward();
        if (typeof reply !== "object" || !("result" in reply)) return reply;
        return { result: { ...(reply.result as object), hash: `0x${"cd".repeat(32)}` } };
      }),
    );
    const watcher = watch(chain, base);
    await polls(second, 12);
    expect(watcher.events).toEqual([]);
    second.setFaults();
    await watcher.reaches();
    await watcher.stop();
  });

  it.each([
    ["first", 1],
    ["first", 3],
    ["second", 1],
    ["second", 3],
  ])(
    "the %s stuck on a branch that was left, %i behind: the chain goes back once, and not again",
    async (which, more) => {
      const chain = await connect(both());
      const watcher = watch(chain, base);
      await base.mine(3);
      await watcher.reaches();
      const stuck = which === "first" ? first : second;
      const left = await callNode(base.rpcUrl, "eth_getBlockByNumber", ["latest", false]);
      stuck.setFaults(stuckOn(left as { number: string }));
      await base.reorg(1);
      // As high as the one that was left: as long as a provider stands by what we know, we do, too.
      await polls(first, 12);
      await polls(second, 12);
      expect(watcher.reorgs()).toEqual([]);
      await base.mine(more);
      await watcher.reaches();
      await polls(stuck, 12);
      expect(watcher.reorgs()).toHaveLength(1);
      await watcher.stop();
      expect(watcher.failure()).toBeNull();
    },
  );
});

async function questions(proxy: RpcProxy, method: string, times: number): Promise<void> {
  const before = proxy.count(method);
  await waitFor(() => proxy.count(method) > before + times, { what: "questions", timeoutMs: 20_000 });
}
/** Three questions each: from the fourth on at least one whole poll began after the call. */
const polls = (proxy: RpcProxy, times: number) => questions(proxy, "eth_getBlockByNumber", times);

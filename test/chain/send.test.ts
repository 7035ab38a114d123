import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Chain } from "../../engine/chain/client.ts";
import { broadcast, broadcastMany } from "../../engine/chain/send.ts";
import { startTestChain, type TestChain, untilConnected } from "../helpers/chain.ts";
import { answerLost, html, replyTo } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";
import { createSender, recipient, type Sender } from "./watching.ts";

let base: TestChain;
let first: RpcProxy;
let second: RpcProxy;
let sender: Sender;
const open: Chain[] = [];
const method = "eth_sendRawTransaction";

beforeEach(async () => {
  base = await startTestChain();
  sender = await createSender(base);
  [first, second] = await Promise.all([startRpcProxy(base.rpcUrl), startRpcProxy(base.rpcUrl)]);
});
afterEach(async () => {
  for (const chain of open.splice(0)) await chain.close();
  await Promise.all([first.stop(), second.stop()]);
  await base.stop();
});

/** Longer than any answer takes on a busy machine. */
const patienceMs = 60_000;
const connect = (...proxies: RpcProxy[]): Promise<Chain> => connectFor(patienceMs, ...proxies);
async function connectFor(requestTimeoutMs: number, ...proxies: RpcProxy[]): Promise<Chain> {
  const rpcUrls = proxies.map(({ rpcUrl }) => rpcUrl);
  const chain = await untilConnected({ rpcUrls, expectedChainId: 8453, requestTimeoutMs });
  open.push(chain);
  return chain;
}
const received = () => base.balanceOf(base.usdc, recipient);
const refuses = (message: string, code = -32_000) => replyTo(method, () => ({ error: { code, message } }));

describe("a broadcast", () => {
  it("that the node takes is accepted, and moves the money", async () => {
    const chain = await connect(first);
    const { raw, hash } = await sender.sign(5n, 0);
    expect(await broadcast(chain, raw)).toEqual({ outcome: "accepted" });
    await waitFor(async () => (await received()) === 5n, { what: `the money of ${hash}` });
  });

  it("whose answer is lost three times is unknown three times, and the money moves once (SAFETY 20)", async () => {
    const chain = await connect(first);
    await base.testClient.setAutomine(false);
    first.setFaults(answerLost(method, 3));
    const { raw } = await sender.sign(5n, 0);
    for (let time = 0; time < 3; time += 1)
      expect(await broadcast(chain, raw)).toMatchObject({ outcome: "unknown" });
    expect(await broadcast(chain, raw)).toEqual({ outcome: "known" });
    await base.mine(2);
    expect(await received()).toBe(5n);
    expect(await broadcast(chain, raw)).toEqual({ outcome: "nonce_too_low" });
  });

  it.each([
    ["silence", "hang" as const],
    ["HTML", html],
    ["null", { result: null }],
    ["another hash", { result: `0x${"12".repeat(32)}` }],
    ["words never seen before", { error: { code: -32_000, message: "the moon is in the wrong house" } }],
    ["trouble of the node", { error: { code: -32_603, message: "internal error" } }],
    ["a rate limit", { error: { code: -32_005, message: "too many requests" } }],
  ])("answered by %s is unknown, never not sent", async (_, reply) => {
    const chain = await connectFor(reply === "hang" ? 1_500 : patienceMs, first);
    first.setFaults(replyTo(method, () => reply));
    const { raw } = await sender.sign(5n, 0);
    expect(await broadcast(chain, raw)).toEqual({ outcome: "unknown", detail: expect.any(String) });
  });

  it.each([
    ["already known", "known"],
    ["ALREADY_EXISTS: already known", "known"],
    ["transaction already imported", "known"],
    ["AlreadyKnown", "known"],
    ["known transaction: 0x12", "known"],
    ["nonce too low: next nonce 5, tx nonce 4", "nonce_too_low"],
    ["replacement transaction underpriced", "underpriced"],
    ["transaction underpriced: gas tip cap 1, minimum needed 1000000", "underpriced"],
    ["max fee per gas less than block base fee: address 0x12", "underpriced"],
    ["insufficient funds for gas * price + value: have 0 want 21", "insufficient_funds"],
  ])("refused with «%s» is %s", async (message, outcome) => {
    const chain = await connect(first);
    first.setFaults(refuses(message));
    expect(await broadcast(chain, (await sender.sign(5n, 0)).raw)).toEqual({ outcome });
  });

  it("is refused by the real node in words that are understood", async () => {
    const chain = await connect(first);
    const poor = await createSender(base);
    await base.setEther(poor.address as `0x${string}`, 0n);
    expect(await broadcast(chain, (await poor.sign(1n, 0)).raw)).toEqual({ outcome: "insufficient_funds" });
    const spent = await sender.send(1n);
    expect(await broadcast(chain, spent.raw)).toEqual({ outcome: "nonce_too_low" });
  });
});

describe("two providers", () => {
  it("one that has it is enough, and a slow other isn't waited for", async () => {
    const chain = await connect(first, second);
    second.setFaults(replyTo(method, () => "hang"));
    const startedAtMs = performance.now();
    expect(await broadcast(chain, (await sender.sign(5n, 0)).raw)).toEqual({ outcome: "accepted" });
    expect(performance.now() - startedAtMs).toBeLessThan(patienceMs / 2);
  });

  it("one refuses and the other is silent: it may be on its way", async () => {
    const chain = await connect(first, second);
    first.setFaults(refuses("insufficient funds"));
    second.setFaults(answerLost(method, 1));
    await base.testClient.setAutomine(false);
    expect(await broadcast(chain, (await sender.sign(5n, 0)).raw)).toMatchObject({ outcome: "unknown" });
    await base.mine(1);
    expect(await received()).toBe(5n);
  });

  it("one refuses and the other was certainly not reached: the refusal counts", async () => {
    const chain = await connect(first, second);
    first.setFaults(refuses("insufficient funds"));
    await second.stop();
    const { raw } = await sender.sign(5n, 0);
    // A kept connection that is cut under the request leaves it unknown; the next request finds nobody there.
    const said = await waitFor(
      async () => {
        const answer = await broadcast(chain, raw);
        return answer.outcome === "unknown" ? null : answer;
      },
      { what: "the second provider to be out of reach" },
    );
    expect(said).toEqual({ outcome: "insufficient_funds" });
    second = await startRpcProxy(base.rpcUrl);
  });

  it("neither reached: still unknown", async () => {
    const chain = await connect(second);
    await second.stop();
    expect(await broadcast(chain, (await sender.sign(5n, 0)).raw)).toMatchObject({ outcome: "unknown" });
    second = await startRpcProxy(base.rpcUrl);
  });
});

describe("many broadcasts", () => {
  it("of one wallet arrive in nonce order and share few blocks", async () => {
    const chain = await connect(first);
    await base.testClient.setAutomine(false);
    const signed = await Promise.all(Array.from({ length: 50 }, (_, nonce) => sender.sign(1n, nonce)));
    const outcomes = await broadcastMany(
      chain,
      signed.map(({ raw }) => raw),
    );
    expect(outcomes).toEqual(signed.map(() => ({ outcome: "accepted" })));
    await base.mine(1);
    expect(await received()).toBe(50n);
  });

  it("of which one answer is unclear leaves the others clear, in their order", async () => {
    const chain = await connect(first);
    await base.testClient.setAutomine(false);
    const signed = await Promise.all(Array.from({ length: 5 }, (_, nonce) => sender.sign(1n, nonce)));
    first.setFaults(
      replyTo(method, ({ params: [raw] }) =>
        raw === signed[3]?.raw ? { error: { code: -32_603, message: "internal error" } } : undefined,
      ),
    );
    const outcomes = await broadcastMany(
      chain,
      signed.map(({ raw }) => raw),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      ...["accepted", "accepted", "accepted", "unknown", "accepted"],
    ]);
  });

  it("go one by one to a node that takes no more than one question at once", async () => {
    const chain = await connect(first);
    await base.testClient.setAutomine(false);
    first.refuseBatches(true);
    const signed = await Promise.all(Array.from({ length: 3 }, (_, nonce) => sender.sign(1n, nonce)));
    const outcomes = await broadcastMany(
      chain,
      signed.map(({ raw }) => raw),
    );
    expect(outcomes).toEqual(signed.map(() => ({ outcome: "accepted" })));
  });
});

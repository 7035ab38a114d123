import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Chain } from "../../engine/chain/client.ts";
import { confirmTransfer, readAgreedReceipt, readReceipt } from "../../engine/chain/receipts.ts";
import { startTestChain, type TestChain, untilConnected } from "../helpers/chain.ts";
import { doubled, everything, liar, replyTo } from "../helpers/rpc-faults.ts";
import { type Fault, type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { createSender, recipient, type Sender, watch } from "./watching.ts";

let base: TestChain;
let first: RpcProxy;
let second: RpcProxy;
let chain: Chain;
let sender: Sender;
const method = "eth_getTransactionReceipt";

beforeEach(async () => {
  base = await startTestChain();
  sender = await createSender(base);
  [first, second] = await Promise.all([startRpcProxy(base.rpcUrl), startRpcProxy(base.rpcUrl)]);
  chain = await connect(60_000);
});
afterEach(async () => {
  await chain.close();
  await Promise.all([first.stop(), second.stop()]);
  await base.stop();
});

const connect = (requestTimeoutMs: number): Promise<Chain> =>
  untilConnected({ rpcUrls: [first.rpcUrl, second.rpcUrl], expectedChainId: 8453, requestTimeoutMs });
const nothing = replyTo(method, () => ({ result: null }));
const unheardOf = `0x${"12".repeat(32)}`;

describe("a receipt", () => {
  it("is that of the transaction, with the same transfers as the follower sees", async () => {
    const watcher = watch(chain, base);
    const { hash } = await sender.send(3n);
    const seen = await watcher.sees(hash);
    await watcher.stop();
    expect(await readReceipt(chain, hash, [base.usdc])).toEqual({
      found: true,
      blockNumber: seen.blockNumber,
      blockHash: seen.blockHash,
      succeeded: true,
      transfers: [seen],
    });
    expect(seen.to).toBe(recipient);
  });

  it("of a failed transfer says so and holds no transfer", async () => {
    const { hash } = await sender.send(10n ** 30n);
    expect(await readReceipt(chain, hash, [base.usdc])).toMatchObject({
      found: true,
      succeeded: false,
      transfers: [],
    });
  });

  it("is not found only when every provider says so", async () => {
    const { hash } = await sender.send(3n);
    expect(await readReceipt(chain, unheardOf, [base.usdc])).toEqual({ found: false });
    first.setFaults(nothing);
    expect(await readReceipt(chain, hash, [base.usdc])).toMatchObject({ found: true });
    second.setFaults(everything("cut"));
    expect(await readReceipt(chain, hash, [base.usdc])).toEqual({ unknown: true });
    first.setFaults();
    const hasty = await connect(1_500);
    first.setFaults(everything("hang"));
    expect(await readReceipt(hasty, hash, [base.usdc])).toEqual({ unknown: true });
    await hasty.close();
  });

  it("of another transaction isn't taken for this one", async () => {
    const { hash } = await sender.send(10n ** 30n); // It fails, so that no log gives it away.
    const other = replyTo(method, ({ forward }) => forward(method, [hash]));
    first.setFaults(other);
    second.setFaults(other);
    expect(await readReceipt(chain, unheardOf, [base.usdc])).toEqual({ unknown: true });
  });

  it("in a block that isn't canonical proves nothing", async () => {
    const { hash } = await sender.send(3n);
    const orphan = replyTo(method, async ({ forward }) => {
      const reply = await forward();
      if (typeof reply !== "object" || !("result" in reply)) return reply;
      return { result: { ...(reply.result as object), blockHash: unheardOf } };
    });
    first.setFaults(orphan);
    second.setFaults(orphan);
    expect(await readReceipt(chain, hash, [base.usdc])).toEqual({ unknown: true });
  });

  it("is agreed on when two providers tell the same of it, and of nothing else (SAFETY 26)", async () => {
    const { hash } = await sender.send(3n);
    const agreed = () => readAgreedReceipt(chain, hash, [base.usdc]);
    expect(await agreed()).toEqual(await readReceipt(chain, hash, [base.usdc]));
    expect(await readAgreedReceipt(chain, unheardOf, [])).toEqual({ found: false });
    const lies: Fault[] = [
      nothing,
      everything("cut"),
      liar((logs) => logs.map(doubled)),
      liar(() => []),
      replyTo(method, async ({ forward }) => {
        const reply = await forward();
        if (typeof reply !== "object" || !("result" in reply)) return reply;
        return { result: { ...(reply.result as object), status: "0x0" } };
      }),
    ];
    for (const lie of lies)
      for (const proxy of [first, second]) {
        proxy.setFaults(lie);
        expect(await agreed()).toEqual({ unknown: true });
        proxy.setFaults();
      }
    expect(await agreed()).toMatchObject({ found: true });
  });

  it("of an orphaned transfer is not found any more", async () => {
    const { hash } = await sender.send(3n);
    await base.reorg(1);
    expect(await readReceipt(chain, hash, [base.usdc])).toEqual({ found: false });
  });
});

describe("a transfer", () => {
  it("is confirmed or denied by two providers, and by one neither (SAFETY 26)", async () => {
    const watcher = watch(chain, base);
    const { hash } = await sender.send(3n);
    const seen = await watcher.sees(hash);
    await watcher.stop();
    expect(await confirmTransfer(chain, seen)).toBe("confirmed");
    second.setFaults(everything("cut"));
    expect(await confirmTransfer(chain, seen)).toBe("unavailable");
    second.setFaults(nothing);
    expect(await confirmTransfer(chain, seen)).toBe("unavailable");
    first.setFaults(nothing);
    expect(await confirmTransfer(chain, seen)).toBe("denied");
  });

  it("that the providers tell of otherwise is denied (SAFETY 26)", async () => {
    const watcher = watch(chain, base);
    const { hash } = await sender.send(3n);
    const seen = await watcher.sees(hash);
    await watcher.stop();
    for (const change of [
      { amount: 4n },
      { to: sender.address.toLowerCase() },
      { ordinal: 1 },
      { blockHash: unheardOf },
    ])
      expect(await confirmTransfer(chain, { ...seen, ...change })).toBe("denied");
  });
});

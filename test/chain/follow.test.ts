import { type Address, encodeFunctionData, multicall3Abi } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { multicall3Address } from "../../scripts/local/tokens.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { tokenAbi } from "../helpers/contracts.ts";
import { waitFor } from "../helpers/wait.ts";
import { createSender, cursorAt, isUnbroken, recipient, watch } from "./watching.ts";

let base: TestChain;
let chain: Chain;

beforeEach(async () => {
  base = await startTestChain();
  chain = await createChain({
    rpcUrls: [base.rpcUrl, base.wsUrl],
    expectedChainId: 8453,
    requestTimeoutMs: 60_000,
  });
});
afterEach(async () => {
  await chain.close();
  await base.stop();
});

describe("following", () => {
  it("yields each block once, in an unbroken line, with its transfers to the unit", async () => {
    const sender = await createSender(base);
    const watcher = watch(chain, base);
    await watcher.reaches();
    const { hash } = await sender.send(7n);
    const seen = await watcher.sees(hash);
    const block = await base.testClient.getBlock({ blockNumber: seen.blockNumber });
    expect(seen).toEqual({
      txHash: hash,
      blockNumber: block.number,
      blockHash: block.hash,
      timestampSeconds: block.timestamp,
      logIndex: 0,
      token: base.usdc,
      ordinal: 0,
      from: sender.address.toLowerCase(),
      to: recipient,
      amount: 7n,
    });
    await base.mine(5);
    await watcher.reaches();
    await watcher.stop();
    expect(isUnbroken(watcher.blocks, { mayLeaveOut: true })).toBe(true);
    expect(watcher.failure()).toBeNull();
  });

  it("fills in the blocks between two heads that it hears of, more than fit in one line", async () => {
    const watcher = watch(chain, base);
    await watcher.reaches();
    const before = watcher.blocks.length;
    await base.mine(150);
    await watcher.reaches();
    await watcher.stop();
    expect(watcher.blocks.length - before).toBeLessThanOrEqual(150); // Final and empty ones may be left out.
    expect(isUnbroken(watcher.blocks.slice(-2))).toBe(true);
    expect(isUnbroken(watcher.blocks, { mayLeaveOut: true })).toBe(true);
  });

  it("reading the past by ranges gives the same transfers as watching them happen", async () => {
    const sender = await createSender(base);
    const from = await cursorAt(base);
    const live = watch(chain, base, { from });
    for (let index = 1n; index <= 6n; index += 1n) {
      await sender.send(index);
      await base.mine(1);
    }
    await base.mine(4);
    await live.reaches();
    await live.stop();
    for (const maxRange of [1n, 3n, 2_000n]) {
      const past = watch(chain, base, { from, maxRange });
      await past.reaches();
      await past.stop();
      expect(past.transfers()).toEqual(live.transfers());
    }
    expect(live.transfers().map(({ amount }) => amount)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
  });

  it("goes on from a cursor without a gap and without a repetition", async () => {
    const sender = await createSender(base);
    const first = watch(chain, base);
    const one = await sender.send(1n);
    await first.sees(one.hash);
    const place = await first.stop();
    const two = await sender.send(2n);
    const second = watch(chain, base, place);
    await second.sees(two.hash);
    await second.stop();
    expect(second.transfers().map(({ txHash }) => txHash)).toEqual([two.hash]);
  });

  it("reports finality, growing only, and safe beside it", async () => {
    const watcher = watch(chain, base);
    await base.mine(6);
    const final = await base.testClient.getBlock({ blockTag: "finalized" });
    await waitFor(() => watcher.finalized()?.number === final.number, {
      what: "finality",
      timeoutMs: 20_000,
    });
    expect(watcher.finalized()).toEqual({ number: final.number, hash: final.hash });
    // Told as soon as it is known, which may be a look later.
    await waitFor(
      () => {
        const told = watcher.events.findLast((event) => event.type === "finalized");
        return (told?.safe?.number ?? -1n) >= final.number;
      },
      { what: "the safe block", timeoutMs: 20_000 },
    );
    await watcher.stop();
  });

  it("counts the transfers of one token within a transaction, also when others are in between", async () => {
    const watcher = watch(chain, base);
    await base.mint(base.usdc, multicall3Address, 3n);
    await base.mint(base.openwork, multicall3Address, 3n);
    const pay = (token: Address, amount: bigint) => ({
      ...{ target: token, allowFailure: false },
      callData: encodeFunctionData({ abi: tokenAbi, functionName: "transfer", args: [recipient, amount] }),
    });
    const hash = await base.testClient.writeContract({
      ...{ address: multicall3Address, abi: multicall3Abi, functionName: "aggregate3" },
      args: [[pay(base.usdc, 1n), pay(base.openwork, 3n), pay(base.usdc, 2n)]],
      account: await richAccount(),
    });
    await watcher.sees(hash);
    await watcher.stop();
    const paid = watcher.transfers().filter(({ txHash }) => txHash === hash);
    expect(
      paid.map(({ token, ordinal, logIndex, amount }) => ({ token, ordinal, logIndex, amount })),
    ).toEqual([
      { token: base.usdc, ordinal: 0, logIndex: 0, amount: 1n },
      { token: base.openwork, ordinal: 0, logIndex: 1, amount: 3n },
      { token: base.usdc, ordinal: 1, logIndex: 2, amount: 2n },
    ]);
  });

  it("counts from 0 in each transaction of a block, whatever the log index", async () => {
    const sender = await createSender(base);
    const watcher = watch(chain, base);
    await base.testClient.setAutomine(false);
    const signed = [await sender.sign(1n, 0), await sender.sign(2n, 1)];
    for (const { raw } of signed) await base.testClient.sendRawTransaction({ serializedTransaction: raw });
    await base.mine(1);
    await watcher.sees(signed[1]?.hash ?? "");
    await watcher.stop();
    const both = watcher.transfers().filter(({ to }) => to === recipient);
    expect(both.map(({ ordinal, logIndex }) => ({ ordinal, logIndex }))).toEqual([
      { ordinal: 0, logIndex: 0 },
      { ordinal: 0, logIndex: 1 },
    ]);
  });
});

/** Somebody with ether, in whose name the node signs. */
async function richAccount(): Promise<Address> {
  const address: Address = `0x${"77".repeat(20)}`;
  await base.setEther(address, 10n ** 18n);
  await base.testClient.impersonateAccount({ address });
  return address;
}

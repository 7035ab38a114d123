import { type Address, encodeFunctionData, type Hex, parseEther, parseGwei } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { baseChainId, multicall3Address } from "../../scripts/local/tokens.ts";
import { createChainClient, startTestChain, type TestChain } from "../helpers/chain.ts";
import { tokenAbi, usdcAbi } from "../helpers/contracts.ts";

const alice = developmentSigner(0);
const bob = developmentSigner(1);

let chain: TestChain;
beforeAll(async () => {
  chain = await startTestChain();
});
afterAll(() => chain.stop());

/** Sends a transaction to USDC and waits until it is in a block. */
async function write(
  account: PrivateKeyAccount,
  call:
    | { functionName: "blacklist" | "unBlacklist"; args: [Address] }
    | { functionName: "transfer"; args: [Address, bigint] }
    | { functionName: "pause" | "unpause" },
): Promise<Hex> {
  const { testClient } = chain;
  const data = encodeFunctionData({ abi: usdcAbi, ...call });
  const hash = await testClient.sendTransaction({ account, to: chain.usdc, data, chain: testClient.chain });
  await minedReceipt(testClient, hash);
  return hash;
}

describe("the tokens of a local chain", () => {
  test.each([
    { token: "usdc", name: "USD Coin", symbol: "USDC", decimals: 6 },
    { token: "openwork", name: "OpenWork", symbol: "OPENWORK", decimals: 18 },
  ] as const)("$token answers at its real address as the real one does", async ({ token, ...expected }) => {
    const contract = { address: chain[token], abi: tokenAbi };
    const [name, symbol, decimals] = await chain.testClient.multicall({
      contracts: [
        { ...contract, functionName: "name" },
        { ...contract, functionName: "symbol" },
        { ...contract, functionName: "decimals" },
      ],
      allowFailure: false,
    });
    expect({ name, symbol, decimals }).toEqual(expected);
  });

  test("a blocked account neither sends nor receives USDC until it is unblocked", async () => {
    for (const { address } of [alice, bob]) await chain.mint(chain.usdc, address, 10n);

    await write(alice, { functionName: "blacklist", args: [bob.address] });
    const refusal = "Blacklistable: account is blacklisted";
    await expect(write(alice, { functionName: "transfer", args: [bob.address, 1n] })).rejects.toThrow(
      refusal,
    );
    await expect(write(bob, { functionName: "transfer", args: [alice.address, 1n] })).rejects.toThrow(
      refusal,
    );
    expect(await chain.balanceOf(chain.usdc, bob.address)).toBe(10n);

    await write(alice, { functionName: "unBlacklist", args: [bob.address] });
    await write(alice, { functionName: "transfer", args: [bob.address, 1n] });
    expect(await chain.balanceOf(chain.usdc, bob.address)).toBe(11n);
  });

  test("USDC reads one word for each side of a transfer, and one for the pause, as the real one does", async () => {
    await chain.mint(chain.usdc, alice.address, 1n);
    const hash = await write(alice, { functionName: "transfer", args: [bob.address, 1n] });
    const touched = await callNode(chain.rpcUrl, "debug_traceTransaction", [
      hash,
      { tracer: "prestateTracer" },
    ]);
    const { storage } = (touched as Record<string, { storage: object }>)[chain.usdc] ?? { storage: {} };
    expect(Object.keys(storage)).toHaveLength(3);
  });

  test("nobody sends USDC while it is paused", async () => {
    await chain.mint(chain.usdc, alice.address, 10n);
    const before = await chain.balanceOf(chain.usdc, bob.address);

    await write(alice, { functionName: "pause" });
    await expect(write(alice, { functionName: "transfer", args: [bob.address, 1n] })).rejects.toThrow(
      "Pausable: paused",
    );
    await write(alice, { functionName: "unpause" });
    await write(alice, { functionName: "transfer", args: [bob.address, 1n] });
    expect(await chain.balanceOf(chain.usdc, bob.address)).toBe(before + 1n);
  });
});

describe("a test chain", () => {
  test("is a fork: it shares its upstream's blocks, and the upstream learns nothing of its own", async () => {
    const upstream = createChainClient(inject("upstreamUrl"));
    const forkedAt = await upstream.getBlock();
    await chain.setEther("0x00000000000000000000000000000000000000aa", parseEther("3"));
    await chain.mine(2);

    const { forkConfig } = (await chain.testClient.request({
      method: "anvil_nodeInfo" as never,
    })) as { forkConfig: { forkBlockNumber: number } };
    expect(BigInt(forkConfig.forkBlockNumber)).toBe(forkedAt.number);
    expect((await chain.testClient.getBlock({ blockNumber: forkedAt.number })).hash).toBe(forkedAt.hash);
    expect(await chain.testClient.getBlockNumber()).toBeGreaterThan(forkedAt.number);
    expect(await upstream.getBlockNumber()).toBe(forkedAt.number);
    expect(await upstream.getBalance({ address: "0x00000000000000000000000000000000000000aa" })).toBe(0n);
  });

  test("is final two blocks below its head, and its clock is this machine's", async () => {
    const askedAtMs = Date.now();
    await chain.mine(1);
    const [latest, safe, finalized] = await Promise.all(
      (["latest", "safe", "finalized"] as const).map((blockTag) => chain.testClient.getBlock({ blockTag })),
    );
    expect([safe?.number, finalized?.number]).toEqual([
      (latest?.number ?? 0n) - 1n,
      (latest?.number ?? 0n) - 2n,
    ]);
    expect(Number(latest?.timestamp)).toBeGreaterThan(askedAtMs / 1_000 - 5);
    expect(Number(latest?.timestamp)).toBeLessThan(Date.now() / 1_000 + 5);
  });

  test("a reorg takes a transfer away, and brings it back when it is told to", async () => {
    await chain.mint(chain.openwork, alice.address, 5n);
    const balance = () => chain.balanceOf(chain.openwork, bob.address);
    const raw = await alice.signTransaction({
      chainId: baseChainId,
      nonce: await chain.testClient.getTransactionCount({ address: alice.address }),
      to: chain.openwork,
      data: encodeFunctionData({ abi: tokenAbi, functionName: "transfer", args: [bob.address, 5n] }),
      gas: 100_000n,
      maxFeePerGas: parseGwei("10"),
      maxPriorityFeePerGas: 1n,
    });
    const hash = await chain.testClient.sendRawTransaction({ serializedTransaction: raw });
    await minedReceipt(chain.testClient, hash);
    expect(await balance()).toBe(5n);

    const before = await chain.testClient.getBlock();
    await chain.reorg(1);
    expect(await balance()).toBe(0n);
    await chain.reorg(1, [{ raw, block: 0 }]);
    expect(await balance()).toBe(5n);
    const after = await chain.testClient.getBlock();
    expect(after.number).toBe(before.number);
    expect(after.hash).not.toBe(before.hash);
  });

  test("answers several calls at once at Multicall3's usual address, with the failure of one kept to itself", async () => {
    const answers = await chain.testClient.multicall({
      contracts: [
        { address: chain.usdc, abi: tokenAbi, functionName: "symbol" },
        { address: multicall3Address, abi: tokenAbi, functionName: "symbol" },
      ],
    });
    expect(answers.map(({ status }) => status)).toEqual(["success", "failure"]);
  });
});

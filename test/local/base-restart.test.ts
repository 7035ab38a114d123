import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address, Hash } from "viem";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { developmentSigner, mintToken } from "../../scripts/local/accounts.ts";
import { type LocalBase, startLocalBase } from "../../scripts/local/base.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";
import { createChainClient } from "../helpers/chain.ts";
import { tokenAbi } from "../helpers/contracts.ts";
import { waitFor } from "../helpers/wait.ts";
import { killRecorded, startInOwnProcess } from "./killed-engine.ts";

const alice = developmentSigner(0);
const bob = developmentSigner(1);
const usdc = { address: usdcAddress, abi: tokenAbi } as const;

let dataDir: string;
let started: LocalBase[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-base-"));
  started = [];
});
afterEach(async () => {
  for (const base of started) await base.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<LocalBase> {
  const base = await startLocalBase({ dataDir, persist: true });
  started.push(base);
  return base;
}

/** Alice gets 100 and sends 30 of them to Bob; the hash of what she sent. */
async function play(rpcUrl: string): Promise<Hash> {
  const client = createChainClient(rpcUrl);
  await mintToken(rpcUrl, usdcAddress, alice.address, 100n);
  const hash = await client.writeContract({
    ...usdc,
    functionName: "transfer",
    args: [bob.address, 30n],
    account: alice,
    chain: client.chain,
  });
  await minedReceipt(client, hash);
  return hash;
}

/** What a restart has to bring back: the chain up to the block of a transaction, and the accounts. */
async function readChain(rpcUrl: string, hash: Hash) {
  const client = createChainClient(rpcUrl);
  const { blockNumber } = await client.getTransactionReceipt({ hash });
  const blockHashes: Hash[] = [];
  for (let number = 0n; number <= blockNumber; number++) {
    blockHashes.push((await client.getBlock({ blockNumber: number })).hash);
  }
  const read = async (address: Address) => ({
    usdc: await client.readContract({ ...usdc, functionName: "balanceOf", args: [address] }),
    ether: await client.getBalance({ address }),
    nonce: await client.getTransactionCount({ address }),
  });
  return {
    blockHashes,
    alice: await read(alice.address),
    bob: await read(bob.address),
    logs: await client.getLogs({ address: usdcAddress, fromBlock: 0n, toBlock: blockNumber }),
    logsOfBlock: await client.getLogs({ address: usdcAddress, blockHash: blockHashes.at(-1) ?? "0x" }),
  };
}

test("a stopped chain comes back with its blocks, logs, balances and nonces, and goes on", async () => {
  const first = await start();
  expect(first.isNew).toBe(true);
  const hash = await play(first.rpcUrl);
  const before = await readChain(first.rpcUrl, hash);
  expect([before.alice.usdc, before.bob.usdc, before.logs.length, before.logsOfBlock.length]).toEqual([
    70n,
    30n,
    2,
    1,
  ]);
  await first.stop();

  const second = await start();
  expect(second.isNew).toBe(false);
  expect(await readChain(second.rpcUrl, hash)).toEqual(before);
  const laterHash = await play(second.rpcUrl);
  const later = await readChain(second.rpcUrl, laterHash);
  await second.stop();

  const third = await start();
  expect(await readChain(third.rpcUrl, laterHash)).toEqual(later);
  expect(later.logs.slice(0, 2)).toEqual(before.logs);
});

test("time never goes back over a restart, and balances can be asked for at the final block at once", async () => {
  const first = await start();
  const advanced = createChainClient(first.rpcUrl);
  await advanced.increaseTime({ seconds: 3_600 });
  const hash = await play(first.rpcUrl);
  const { blockHash } = await advanced.getTransactionReceipt({ hash });
  const before = await advanced.getBlock({ blockHash });
  await first.stop();

  const client = createChainClient((await start()).rpcUrl);
  const after = await client.getBlock();
  expect(after.timestamp).toBeGreaterThanOrEqual(before.timestamp);
  const balance = { ...usdc, functionName: "balanceOf", args: [bob.address] } as const;
  expect(await client.readContract({ ...balance, blockTag: "finalized" })).toBe(30n);
});

test("what waited in the pool is in a block after an orderly stop", async () => {
  const first = await startLocalBase({ dataDir, persist: true, blockTimeSeconds: 3_600 });
  const client = createChainClient(first.rpcUrl);
  const hash = await client.sendTransaction({
    account: alice,
    to: bob.address,
    value: 1n,
    chain: client.chain,
  });
  await first.stop();
  const again = createChainClient((await start()).rpcUrl);
  expect((await again.getTransactionReceipt({ hash })).status).toBe("success");
});

test("a chain that goes on alone after its engine was killed is taken over with all that it has", async () => {
  const held = await startInOwnProcess("base", dataDir, z.object({ rpcUrl: z.string() }));
  await held.kill();
  const hash = await play(held.rpcUrl);
  const before = await readChain(held.rpcUrl, hash);

  const next = await start();
  expect(await readChain(next.rpcUrl, hash)).toEqual(before);
  expect(await isListening(held.rpcUrl)).toBe(false);
});

test("a chain that was killed itself comes back as it was last kept", async () => {
  const first = await start();
  const hash = await play(first.rpcUrl);
  const before = await readChain(first.rpcUrl, hash);
  await waitFor(() => first.keptHead() === before.blockHashes.at(-1), { what: "the state to be kept" });
  await killRecorded(dataDir, "chain");
  await killRecorded(dataDir, "upstream");
  await first.stop();

  const next = await start();
  expect(await readChain(next.rpcUrl, hash)).toEqual(before);
});

test("a second engine is refused the data of a running one", async () => {
  await start();
  await expect(start()).rejects.toThrow(`is in use by process ${process.pid}`);
});

test("a chain isn't continued on another upstream than it began on", async () => {
  const first = await start();
  await first.stop();
  const other = await startLocalBase({ dataDir: "unused", persist: false });
  started.push(other);
  await expect(startLocalBase({ dataDir, persist: true, forkUrl: other.rpcUrl })).rejects.toThrow(
    "holds a fork of local, not of base",
  );
});

test("a taken port is named", async () => {
  const other = await startLocalBase({ dataDir: "unused", persist: false });
  started.push(other);
  const port = Number(new URL(other.rpcUrl).port);
  await expect(startLocalBase({ dataDir, persist: true, port })).rejects.toThrow(`Port ${port} is taken`);
});

async function isListening(rpcUrl: string): Promise<boolean> {
  return createChainClient(rpcUrl)
    .getBlockNumber()
    .then(
      () => true,
      () => false,
    );
}

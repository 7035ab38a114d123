import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Address, Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { findFoundryBinary } from "../../scripts/local/binaries.ts";
import { compileContracts, contractNamed } from "../../scripts/local/contracts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import {
  delegationTo,
  deploymentData,
  deploymentProxy,
  executorOf,
  paymentsCall,
} from "../../wallets/executor.ts";
import { executorCreationCode } from "../../wallets/executor-code.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";

const suites = z.record(
  z.string(),
  z.object({
    test_results: z.record(z.string(), z.object({ status: z.string(), reason: z.string().nullable() })),
  }),
);

test("forge's tests of the contract pass", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const run = promisify(execFile)(findFoundryBinary("forge"), ["test", "--root", root, "--json"], {
    cwd: root,
    maxBuffer: 10_000_000,
  });
  // One that fails ends forge with a code, and its report is there all the same.
  const { stdout } = await run.catch((failed: { stdout: string; stderr: string }) => failed);
  const results = Object.values(suites.parse(JSON.parse(stdout))).flatMap(({ test_results }) =>
    Object.entries(test_results),
  );
  expect(results.length).toBeGreaterThan(20);
  expect(results.filter(([, { status }]) => status !== "Success")).toEqual([]);
});

test("the code that is deployed is what the compiler makes of the contract: npm run executor writes it", async () => {
  const { creationCode } = contractNamed(await compileContracts(), "BatchExecutor");
  expect(executorCreationCode).toBe(creationCode);
});

describe("on a chain", () => {
  let chain: TestChain;
  const gas = developmentSigner(0);
  const gasAddress = gas.address.toLowerCase() as Address;
  const executor = executorOf(gasAddress) as Address;
  const anna = privateKeyToAccount(generatePrivateKey()).address;
  const ben = privateKeyToAccount(generatePrivateKey()).address;
  beforeAll(async () => {
    chain = await startTestChain();
    await chain.setEther(gas.address, 10n ** 18n);
  });
  afterAll(() => chain.stop());

  type Call = { to: Address; data?: Hex; authorizationList?: Awaited<ReturnType<typeof authorise>>[] };
  async function send(call: Call) {
    const { testClient } = chain;
    const hash = await testClient.sendTransaction({
      account: gas,
      chain: testClient.chain,
      gas: 2_000_000n,
      ...call,
    });
    return minedReceipt(testClient, hash);
  }
  const authorise = (
    wallet: ReturnType<typeof privateKeyToAccount>,
    to: { address: Address; nonce: number },
  ) => wallet.signAuthorization({ ...to, chainId: 8453 });

  test("the executor is deployed where its address says beforehand, and again without harm", async () => {
    const deploy = () =>
      send({ to: deploymentProxy, data: deploymentData(gasAddress) }).catch(() => undefined);
    await deploy();
    const code = await chain.testClient.getCode({ address: executor });
    // The gas wallet is written into the code.
    expect(code).toContain(gasAddress.slice(2));
    await deploy();
    expect(await chain.testClient.getCode({ address: executor })).toBe(code);
    expect(executorOf(developmentSigner(1).address)).not.toBe(executor);
  });

  test("an escrow without ether pays by one transaction of the gas wallet, which takes its authorisation along", async () => {
    const escrow = privateKeyToAccount(generatePrivateKey());
    await chain.mint(chain.usdc, escrow.address, 100n);
    const authorizationList = [await authorise(escrow, { address: executor, nonce: 0 })];
    const data = paymentsCall(chain.usdc, [
      { destination: anna, amount: 10n },
      { destination: ben, amount: 20n },
    ]);
    const { status, logs } = await send({ to: escrow.address, data, authorizationList });
    expect(status).toBe("success");
    expect(logs.map(({ topics }) => topics[2]?.slice(-40))).toEqual(
      [anna, ben].map((address) => address.slice(2).toLowerCase()),
    );
    expect(await chain.balanceOf(chain.usdc, ben)).toBe(20n);
    expect(await chain.testClient.getCode({ address: escrow.address })).toBe(delegationTo(executor));
    expect(await chain.testClient.getBalance({ address: escrow.address })).toBe(0n);
  });

  test("an authorisation counts once: replayed after it was taken back, it gives nothing", async () => {
    const escrow = privateKeyToAccount(generatePrivateKey());
    const first = await authorise(escrow, { address: executor, nonce: 0 });
    await send({ to: anna, authorizationList: [first] });
    const zero: Address = `0x${"0".repeat(40)}`;
    await send({ to: anna, authorizationList: [await authorise(escrow, { address: zero, nonce: 1 })] });
    expect(await chain.testClient.getCode({ address: escrow.address })).toBeUndefined();
    await send({ to: anna, authorizationList: [first] });
    expect(await chain.testClient.getCode({ address: escrow.address })).toBeUndefined();
    expect(await chain.testClient.getTransactionCount({ address: escrow.address })).toBe(2);
  });

  test("a stranger who sends the gas wallet's batch is refused", async () => {
    const escrow = privateKeyToAccount(generatePrivateKey());
    await chain.mint(chain.usdc, escrow.address, 100n);
    await send({
      to: anna,
      authorizationList: [await authorise(escrow, { address: executor, nonce: 0 })],
    });
    const data = paymentsCall(chain.usdc, [{ destination: ben, amount: 20n }]);
    const call = { to: escrow.address, data };
    await expect(chain.testClient.call({ account: developmentSigner(1), ...call })).rejects.toThrow();
    await expect(chain.testClient.call({ account: gas, ...call })).resolves.toBeDefined();
  });
});

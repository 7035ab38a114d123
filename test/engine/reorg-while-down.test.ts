/** The chain takes back a block while no engine runs: the next one sees it at its start. */
import { type Address, encodeFunctionData, erc20Abi } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { type Engine, startEngine } from "../../engine/main.ts";
import { ApiClient } from "../../scripts/client/api.ts";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { expectBooksOf } from "../helpers/books.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { findLastingPort } from "../helpers/lasting-port.ts";
import { waitFor } from "../helpers/wait.ts";

const marcus = developmentSigner(1);
const patience = { timeoutMs: 20_000, everyMs: 50 };
let database: TestDatabase;
let chain: TestChain;
let environment: Record<string, string>;
let engine: Engine | undefined;
beforeAll(async () => {
  [database, chain] = await Promise.all([createTestDatabase(), startTestChain()]);
  environment = {
    ...{ DATABASE_URL: database.appUrl, BASE_RPC_URLS: chain.rpcUrl, PORT: String(await findLastingPort()) },
    ...{ LOG_LEVEL: process.env.TEST_LOG ?? "fatal", REQUESTS_PER_MINUTE: "1000000" },
  };
});
afterAll(async () => {
  await engine?.stop();
  await chain?.stop();
  await database?.drop();
});

/** What stands in the player's pool, and its deposits. */
async function readPlayer(api: ApiClient) {
  const { balances } = await api.call("readBalances");
  const { items } = await api.call("listDeposits");
  return {
    free: balances.find(({ free }) => free.token === chain.usdc)?.free.amount ?? "0",
    deposits: items.map(({ state, posted }) => ({ state, posted })),
  };
}

it("a deposit that fell out of the chain between two starts isn't in the pool, and is when it comes again", async () => {
  engine = await startEngine(readConfig(environment));
  const api = new ApiClient(engine.origin);
  await api.signIn(marcus);
  const { address } = await api.call("readDepositAddress");
  const { testClient } = chain;
  await chain.mint(chain.usdc, marcus.address, 70n);
  await chain.mine(3);
  const ancestor = await testClient.getBlockNumber({ cacheTime: 0 });
  const raw = await marcus.signTransaction({
    ...{ chainId: 8453, type: "eip1559", to: chain.usdc, gas: 200_000n },
    data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [address as Address, 70n] }),
    nonce: await testClient.getTransactionCount({ address: marcus.address }),
    ...{ maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 6n },
  });
  await testClient.sendRawTransaction({ serializedTransaction: raw });
  const isCredited = async () => (await readPlayer(api)).free === "70";
  await waitFor(isCredited, { what: "the credit", ...patience });
  await engine.stop();

  const head = await testClient.getBlockNumber({ cacheTime: 0 });
  await chain.reorg(Number(head - ancestor));
  await chain.mine(1);
  engine = await startEngine(readConfig(environment));
  await waitFor(async () => !(await isCredited()), { what: "the deposit to be taken back", ...patience });
  expect(await readPlayer(api)).toEqual({ free: "0", deposits: [{ state: "orphaned", posted: false }] });

  await testClient.sendRawTransaction({ serializedTransaction: raw });
  const isFinal = async () => {
    await chain.mine(1);
    return (await readPlayer(api)).deposits.some(({ state }) => state === "final");
  };
  await waitFor(isFinal, { what: "the deposit to be final", ...patience });
  expect(await readPlayer(api)).toEqual({ free: "70", deposits: [{ state: "final", posted: true }] });
  await expectBooksOf(environment);
});

/** The first start: nobody is told where to pay before the books have begun, for they never look at what came before. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { type Engine, startEngine } from "../../engine/main.ts";
import { ApiClient } from "../../scripts/client/api.ts";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { findFreePort } from "../../scripts/local/processes.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { faultModes } from "../helpers/fault-modes.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";

let database: TestDatabase;
let chain: TestChain;
let second: RpcProxy;
let engine: Engine | undefined;
beforeAll(async () => {
  [database, chain] = await Promise.all([createTestDatabase(), startTestChain()]);
  second = await startRpcProxy(chain.rpcUrl);
});
afterAll(async () => {
  await engine?.stop();
  await second?.stop();
  await chain?.stop();
  await database?.drop();
});

it("an engine whose nodes agree on no final block yet serves nobody, and does once they do", async () => {
  const PORT = String(await findFreePort());
  let asked = 0;
  const silent = faultModes["no-finality"].make(0n);
  second.setFaults((call) => {
    if (call.params[0] === "finalized") asked += 1;
    return silent(call);
  });
  const starting = startEngine(
    readConfig({
      ...{ DATABASE_URL: database.appUrl, BASE_RPC_URLS: `${chain.rpcUrl},${second.rpcUrl}`, PORT },
      LOG_LEVEL: process.env.TEST_LOG ?? "fatal",
    }),
  );
  const first = await Promise.race([
    starting,
    waitFor(() => asked >= 10, { what: "ten looks for a final block" }),
  ]);
  expect(first).toBe(true);
  await expect(fetch(`http://127.0.0.1:${PORT}/health/live`)).rejects.toThrow("fetch failed");

  second.setFaults();
  engine = await starting;
  const api = new ApiClient(engine.origin);
  await api.signIn(developmentSigner(1));
  expect((await api.call("readDepositAddress")).address).toMatch(/^0x/);
});

/** Yesterday's books under a whole engine, in the order of docs/runbook.md: nobody is paid twice (SAFETY 43). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Address, parseAbiItem } from "viem";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { openFoundation } from "../../engine/foundation.ts";
import { type Engine, startEngine } from "../../engine/main.ts";
import { ApiClient } from "../../scripts/client/api.ts";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { restore } from "../../scripts/operator/copies.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createEmptyDatabase, type TestDatabase } from "../helpers/database.ts";
import { findLastingPort } from "../helpers/lasting-port.ts";
import { waitFor } from "../helpers/wait.ts";
import { isAlive, type Run, run } from "../local/started-engine.ts";
import { runOperator } from "../operator/command-line.ts";

/** Three engines start one after the other: one, and each command, as a process of its own. */
vi.setConfig({ testTimeout: 480_000 });

const dollars = (whole: number): bigint => BigInt(whole) * 1_000_000n;
const marcus = developmentSigner(1);
const olga = developmentSigner(9);

let folder: string;
let chain: TestChain;
let port: string;
const databases: TestDatabase[] = [];
const engines: Engine[] = [];
let child: Run | undefined;
beforeAll(async () => {
  [folder, chain, port] = await Promise.all([
    mkdtemp(join(tmpdir(), "on-the-rail-restored-")),
    startTestChain(),
    findLastingPort().then(String),
  ]);
});
afterEach(async () => {
  for (const each of engines.splice(0)) await each.stop();
  if (child !== undefined && isAlive(child.pid)) child.signal("SIGKILL");
  await child?.ended();
});
afterAll(async () => {
  await chain?.stop();
  for (const each of databases) await each.drop();
  await rm(folder, { recursive: true, force: true });
});

async function newDatabase(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  databases.push(database);
  return database;
}
const environmentOf = ({ appUrl, ownerUrl, signerUrl }: TestDatabase): Record<string, string> => ({
  ...{ DATABASE_URL: appUrl, DATABASE_OWNER_URL: ownerUrl, DATABASE_SIGNER_URL: signerUrl },
  ...{ BASE_RPC_URLS: chain.rpcUrl, OPERATORS: olga.address, PORT: port, LOG_LEVEL: "fatal" },
});
async function start(database: TestDatabase): Promise<Engine> {
  const engine = await startEngine(readConfig(environmentOf(database)));
  engines.push(engine);
  return engine;
}
/** The same, as `npm start` on that database. */
async function startChild(database: TestDatabase): Promise<Run> {
  const started = run("start.ts", [], environmentOf(database));
  child = started;
  await waitFor(() => started.output().includes("On the Rail runs") || !isAlive(started.pid), {
    what: "the engine",
    timeoutMs: 30_000,
    everyMs: 50,
  });
  return started;
}
async function signIn(account: typeof marcus): Promise<ApiClient> {
  const api = new ApiClient(`http://localhost:${port}`);
  await api.signIn(account);
  return api;
}
/** The operator's command. */
async function operate(database: TestDatabase, ...line: string[]): Promise<void> {
  const answer = await runOperator(line, { environment: environmentOf(database) });
  expect(answer).toMatchObject({ code: 0, stderr: "" });
}
async function read<Row>({ ownerUrl }: TestDatabase, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Makes blocks until nothing is on its way that isn't final, and a recovery has read all that there was. */
const settle = (database: TestDatabase) =>
  waitFor(
    async () => {
      await chain.mine(1);
      const [open] = await read<{ open: string }>(
        database,
        `SELECT (SELECT count(*) FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined'))
           + (SELECT count(*) FROM deposit WHERE state <> 'final')
           + (SELECT count(*) FROM recovery, chain_cursor
              WHERE ended_at IS NULL AND (until_block IS NULL OR until_block > finalized_number)) AS open`,
      );
      return open?.open === "0";
    },
    { what: "everything to be final", timeoutMs: 30_000, everyMs: 50 },
  );
const withdraw = (api: ApiClient, amount: bigint) =>
  api.call("withdraw", {
    body: { token: chain.usdc, amount: amount.toString(), address: marcus.address },
  });
/** Each transfer out of the vault to the player, by the chain's own word. */
async function paid(vault: Address): Promise<bigint[]> {
  const logs = await chain.testClient.getLogs({
    address: chain.usdc,
    event: parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)"),
    args: { from: vault, to: marcus.address },
    fromBlock: 0n,
    strict: true,
  });
  return logs.map(({ args }) => args.value);
}
/** What the operator sees of why nothing leaves; undefined when it does. */
async function whyStopped(): Promise<string | undefined> {
  const { outflowsStopped } = await (await signIn(olga)).call("readOverview");
  return outflowsStopped?.reason;
}
/** What stands in the player's pool, and each withdrawal. */
async function readPlayer(api: ApiClient): Promise<{ free: string | undefined; withdrawn: string[] }> {
  const { balances } = await api.call("readBalances");
  const { items } = await api.call("listWithdrawals");
  return {
    free: balances.find(({ free }) => free.token === chain.usdc)?.free.amount,
    withdrawn: items.map(({ money, state }) => `${money.amount} ${state}`).sort(),
  };
}
async function expectBooks(database: TestDatabase): Promise<void> {
  const { context, close } = await openFoundation(readConfig(environmentOf(database)), { keys: "none" });
  await expectBooksToBalance(context, { onChain: true }).finally(close);
}

let vault: Address;
const backup = (): string => join(folder, "books.backup");

it("an engine on a restored backup finds what was paid since, and pays on when the operator says so", async () => {
  const first = await newDatabase();
  const engine = await start(first);
  await signIn(olga);
  const api = await signIn(marcus);
  const gas = engine.gasAddress as Address;
  vault = engine.vaultAddress as Address;
  await chain.setEther(gas, 10n ** 20n);
  const { address } = await api.call("readDepositAddress");
  await chain.mint(chain.usdc, address as Address, dollars(100));
  await settle(first);
  await withdraw(api, dollars(10));
  await settle(first);
  // The next one is owed when the backup is taken, and paid afterwards.
  await chain.setEther(gas, 0n);
  await withdraw(api, dollars(20));
  await operate(first, "backup", backup());
  expect(await paid(vault)).toEqual([dollars(10)]);
  await chain.setEther(gas, 10n ** 20n);
  await withdraw(api, dollars(30));
  await settle(first);
  const before = await readPlayer(api);
  const sent = await paid(vault);
  expect([...sent].sort()).toEqual([dollars(10), dollars(20), dollars(30)]);
  await engine.stop();

  const second = await newDatabase();
  await operate(second, "restore", backup());
  const restored = await startChild(second);
  expect(restored.output()).toContain("nothing leaves until an operator ends the recovery");
  expect(await whyStopped()).toContain("Recovery: restored from the backup");
  await settle(second);
  expect(await paid(vault)).toEqual(sent);
  await operate(second, "end-recovery", "--reason", "all found");
  expect(await whyStopped()).toBeUndefined();

  const again = await signIn(marcus);
  expect(await readPlayer(again)).toEqual(before);
  await withdraw(again, dollars(5));
  await settle(second);
  expect(await paid(vault)).toEqual([...sent, dollars(5)]);
  await expectBooks(second);
  restored.signal("SIGTERM");
  expect(await restored.ended()).toBe(0);
});

it("an engine on books that were restored by other means sees by itself that they are old", async () => {
  const third = await newDatabase();
  await restore(third.ownerUrl, backup());
  await read(
    third,
    "DELETE FROM recovery; DELETE FROM wallet WHERE retired AND address IS NULL; UPDATE wallet SET retired = false",
  );
  const sent = await paid(vault);
  await start(third);
  expect(await whyStopped()).toMatch(/^Recovery: wallet 0x\w+ has sent \d+ transactions/);
  await settle(third);
  expect(await paid(vault)).toEqual(sent);
  expect((await readPlayer(await signIn(marcus))).free).toBe(dollars(35).toString());
});

/** Yesterday's books under a whole engine, in the order of docs/runbook.md: nobody is paid twice (SAFETY 43). */
import { join } from "node:path";
import type { Address } from "viem";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { type Engine, startEngine } from "../../engine/main.ts";
import type { ApiClient } from "../../scripts/client/api.ts";
import { restore } from "../../scripts/operator/copies.ts";
import type { TestDatabase } from "../helpers/database.ts";
import { forgetRestore } from "../helpers/restored.ts";
import { runOperator } from "../operator/command-line.ts";
import { createEngineWorld, dollars, type EngineWorld, marcus, olga } from "./whole-engine.ts";

/** Three engines start one after the other: one, and each command, as a process of its own. */
vi.setConfig({ testTimeout: 480_000 });

let world: EngineWorld;
const engines: Engine[] = [];
beforeAll(async () => {
  world = await createEngineWorld();
});
afterEach(async () => {
  for (const each of engines.splice(0)) await each.stop();
  await world.endChildren();
});
afterAll(() => world?.stop());

async function start(database: TestDatabase): Promise<Engine> {
  const engine = await startEngine(readConfig(world.environmentOf(database)));
  engines.push(engine);
  return engine;
}
/** The operator's command. */
async function operate(database: TestDatabase, ...line: string[]): Promise<void> {
  const answer = await runOperator(line, { environment: world.environmentOf(database) });
  expect(answer).toMatchObject({ code: 0, stderr: "" });
}
/** What the operator sees of why nothing leaves; undefined when it does. */
async function whyStopped(): Promise<string | undefined> {
  const { outflowsStopped } = await (await world.signIn(olga)).call("readOverview");
  return outflowsStopped?.reason;
}
/** What stands in the player's pool, and each withdrawal. */
async function readPlayer(api: ApiClient): Promise<{ free: string | undefined; withdrawn: string[] }> {
  const { balances } = await api.call("readBalances");
  const { items } = await api.call("listWithdrawals");
  return {
    free: balances.find(({ free }) => free.token === world.chain.usdc)?.free.amount,
    withdrawn: items.map(({ money, state }) => `${money.amount} ${state}`).sort(),
  };
}
let vault: Address;
/** In the player's pool, when all was paid. */
let left: string | undefined;
const bySize = (amounts: bigint[]): bigint[] => amounts.toSorted((one, other) => (one < other ? -1 : 1));
const backup = (): string => join(world.folder, "books.backup");

it("an engine on a restored backup finds what was paid since, and pays on when the operator says so", async () => {
  const first = await world.newDatabase();
  const engine = await start(first);
  await world.signIn(olga);
  const api = await world.signIn(marcus);
  const gas = engine.gasAddress as Address;
  vault = engine.vaultAddress as Address;
  await world.chain.setEther(gas, 10n ** 20n);
  const { address } = await api.call("readDepositAddress");
  await world.chain.mint(world.chain.usdc, address as Address, dollars(100));
  await world.settle(first);
  await world.withdraw(api, dollars(10));
  await world.settle(first);
  // The next one is owed when the backup is taken, and paid afterwards.
  await world.chain.setEther(gas, 0n);
  await world.withdraw(api, dollars(20));
  await operate(first, "backup", backup());
  expect(await world.paid(vault)).toEqual([dollars(10)]);
  await world.chain.setEther(gas, 10n ** 20n);
  // Nine more, three in each transaction.
  const later = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(dollars);
  for (const [index, amount] of later.entries()) {
    await world.withdraw(api, amount);
    if (index % 3 === 2) await world.settle(first);
  }
  const before = await readPlayer(api);
  const sent = await world.paid(vault);
  expect(bySize(sent)).toEqual(bySize([dollars(10), dollars(20), ...later]));
  await engine.stop();

  const second = await world.newDatabase();
  await operate(second, "restore", backup());
  const restored = await world.startChild(second);
  expect(restored.output()).toContain("nothing leaves until an operator ends the recovery");
  expect(await whyStopped()).toContain("Recovery: restored from the backup");
  await world.settle(second);
  expect(await world.paid(vault)).toEqual(sent);
  await operate(second, "end-recovery", "--reason", "all found");
  expect(await whyStopped()).toBeUndefined();

  const again = await world.signIn(marcus);
  expect(await readPlayer(again)).toEqual(before);
  await world.withdraw(again, dollars(5));
  await world.settle(second);
  expect(await world.paid(vault)).toEqual([...sent, dollars(5)]);
  left = (await readPlayer(again)).free;
  await world.expectBooks(second);
  restored.signal("SIGTERM");
  expect(await restored.ended()).toBe(0);
});

it("an engine on books that were restored by other means sees by itself that they are old", async () => {
  const third = await world.newDatabase();
  await restore(third.ownerUrl, backup());
  await forgetRestore(third.ownerUrl);
  const sent = await world.paid(vault);
  await start(third);
  expect(await whyStopped()).toMatch(/^Recovery: wallet 0x\w+ has sent \d+ transactions/);
  await world.settle(third);
  expect(await world.paid(vault)).toEqual(sent);
  expect((await readPlayer(await world.signIn(marcus))).free).toBe(left);
});

/** The whole engine, its key holder a process of its own and two nodes before it, killed in the middle of paying. */
import type { Address } from "viem";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { queryOnce } from "../helpers/database.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { waitFor } from "../helpers/wait.ts";
import { createEngineWorld, dollars, type EngineWorld, keyHolderOf, marcus } from "./whole-engine.ts";

/** An engine starts after each death. */
vi.setConfig({ testTimeout: 480_000 });

let world: EngineWorld;
const nodes: RpcProxy[] = [];
beforeAll(async () => {
  world = await createEngineWorld({
    rpcUrls: async ({ rpcUrl }) => {
      nodes.push(await startRpcProxy(rpcUrl), await startRpcProxy(rpcUrl));
      return nodes.map((node) => node.rpcUrl);
    },
  });
});
afterAll(async () => {
  await world?.stop();
  for (const node of nodes) await node.stop();
});

/** How far it has got: counts that grow while there is something to pay. */
const counts = {
  prepared: "SELECT count(*) FROM chain_tx",
  signed: "SELECT count(*) FROM attempt",
};
const deaths: [after: keyof typeof counts, who: "engine" | "keys"][] = [
  ["prepared", "keys"],
  ["signed", "engine"],
];

it("it, or the process that holds its keys: a new start pays each once (SAFETY 19, 23)", async () => {
  const database = await world.newDatabase();
  const count = async (what: keyof typeof counts): Promise<number> =>
    Number((await queryOnce<{ count: string }>(database.ownerUrl, counts[what]))[0]?.count);
  let engine = await world.startChild(database);
  const [vault] = await queryOnce<{ address: Address }>(
    database.ownerUrl,
    "SELECT address FROM wallet WHERE purpose = 'vault'",
  );
  const [gas] = await queryOnce<{ address: Address }>(
    database.ownerUrl,
    "SELECT address FROM wallet WHERE purpose = 'gas'",
  );
  await world.chain.setEther(gas?.address ?? "0x", 10n ** 20n);
  const api = await world.signIn(marcus);
  const { address } = await api.call("readDepositAddress");
  await world.chain.mint(world.chain.usdc, address as Address, dollars(100));
  await world.settle(database);

  const asked: bigint[] = [];
  for (const [after, who] of deaths) {
    const keyHolder = await keyHolderOf(engine.pid);
    const before = await count(after);
    for (let index = 0; index < 3; index += 1) {
      const amount = dollars(asked.length + 1);
      await world.withdraw(api, amount);
      asked.push(amount);
    }
    await waitFor(async () => (await count(after)) > before, {
      what: `payouts that are ${after}`,
      timeoutMs: 30_000,
      everyMs: 1,
    });
    process.kill(who === "keys" ? keyHolder : engine.pid, "SIGKILL");
    expect(await engine.ended()).toBe(who === "keys" ? 1 : "SIGKILL");
    // Nobody has to wait until the dead one's turn is over.
    await queryOnce(database.ownerUrl, "UPDATE lease SET expires_at = now() - interval '1 second'");
    engine = await world.startChild(database);
  }
  await world.settle(database);
  const paid = await world.paid(vault?.address ?? "0x");
  expect(paid.map(String).sort()).toEqual(asked.map(String).sort());
  const { items } = await api.call("listWithdrawals");
  expect(new Set(items.map(({ state }) => state))).toEqual(new Set(["final"]));
  await world.expectBooks(database);
});

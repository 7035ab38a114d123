/** Wallets that nobody can hold against the chain: the books alone prove half. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { readBooksCheck } from "../../engine/db/books.ts";
import { mayMoneyLeave } from "../../engine/db/breaches.ts";
import { runReconciliation } from "../../engine/services/books.ts";
import { readOverview } from "../../engine/services/overview.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createMoneyWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { replyTo } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { ask, readyToWithdraw } from "../helpers/sender.ts";
import { value } from "./wager-world.ts";

let world: MoneyWorld;
let proxy: RpcProxy;
beforeAll(async () => {
  world = await createMoneyWorld({}, async ({ rpcUrl }) => {
    proxy = await startRpcProxy(rpcUrl);
    return [proxy.rpcUrl];
  });
  world.watch();
  await world.caughtUp();
});
afterAll(async () => {
  await world.stop();
  await proxy.stop();
});

/** As a node does that has thrown away what wallets held some blocks ago. */
const forgetful = replyTo("eth_call", ({ params: [, at] }) =>
  /^0x/.test(String(at)) ? { error: { code: -32_000, message: "missing trie node" } } : undefined,
);
const comparedAtMs = async () => (await readBooksCheck(world.context.pool))?.compared_at.getTime() ?? 0;
const whyStopped = async () => value(await readOverview(world.context)).outflowsStopped?.reason ?? null;

it("while the nodes have forgotten what wallets held, a check proves half, and after a quarter of an hour nothing leaves", async () => {
  const player = await readyToWithdraw(world, 1_000n);
  await runReconciliation(world.context);
  const before = await comparedAtMs();
  proxy.setFaults(forgetful);
  const [, , , , , wallets] = await runReconciliation(world.context);
  expect(wallets).toMatchObject({
    number: 6,
    ok: true,
    detail: "The chain didn't say what the wallets hold.",
  });
  expect(await comparedAtMs()).toBe(before);
  expect(await whyStopped()).toBeNull();

  const pass = (minutes: number) =>
    world.query("UPDATE books_check SET compared_at = compared_at - $1 * interval '1 minute'", [minutes]);
  await pass(14);
  expect(await mayMoneyLeave(world.context.pool)).toBe(true);
  await pass(1);
  expect(await whyStopped()).toContain("what our wallets hold");
  await ask(world, player, 400n);
  expect(await sendRound(world.context, { fence: world.fence })).toBe(false);
  await runReconciliation(world.context);
  expect(await mayMoneyLeave(world.context.pool)).toBe(false);

  // By itself again, when a node answers.
  proxy.setFaults();
  await runReconciliation(world.context);
  expect(await whyStopped()).toBeNull();
  await world.settle();
  expect(await world.held(world.base.usdc, player.address)).toBe(400n);
  await expectBooksToBalance(world.context, { onChain: true });
});

/** Every kind of reorg under the money: before and after the credit, under a payout, while nobody watches, too deep. */
import { randomUUID } from "node:crypto";
import { encodeFunctionData, erc20Abi, keccak256 } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mayMoneyLeave, readStandingBreaches } from "../../engine/db/breaches.ts";
import { readCursor } from "../../engine/db/cursor.ts";
import { raiseDeepReorg } from "../../engine/services/chain-events.ts";
import { liftBreach } from "../../engine/services/overview.ts";
import { accept, propose } from "../../engine/services/proposals.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { everything, tagBehindHead } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { ask, attemptsOf, expectEachPaidOnce, readyToWithdraw, stateOf } from "../helpers/sender.ts";
import { finalize, freeOf, operator } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { codeOf } from "./wager-world.ts";

const patience = { timeoutMs: 20_000 };
const farFinality = [tagBehindHead("finalized", 30n), tagBehindHead("safe", 20n)];

let world: MoneyWorld;
let proxy: RpcProxy;
let stopWatching: () => Promise<void>;

async function open(caps?: { perPlayer: bigint; inAll: bigint }): Promise<void> {
  world = await createMoneyWorld({}, async ({ rpcUrl, wsUrl }) => {
    proxy = await startRpcProxy(rpcUrl);
    return [proxy.rpcUrl, wsUrl];
  });
  if (caps !== undefined)
    world.context.settings = { ...world.context.settings, exposureCaps: new Map([[world.base.usdc, caps]]) };
  await world.base.mine(40);
  // As on Base, finality is far away; anvil's is two blocks behind the head.
  proxy.setFaults(...farFinality);
  stopWatching = world.watch();
  await world.caughtUp();
}
beforeEach(() => open());
afterEach(async () => {
  await expectBooksToBalance(world.context);
  await world.stop();
  await proxy.stop();
});

const free = (player: MoneyPlayer): Promise<bigint> => freeOf(world, player.id);
const hasFree = (player: MoneyPlayer, amount: bigint): Promise<unknown> =>
  waitFor(async () => (await free(player)) === amount, { what: `${amount} in the pool`, ...patience });
const loss = async (): Promise<bigint> => {
  const [row] = await world.query<{ balance: string }>(
    "SELECT balance FROM account WHERE kind = 'house.loss'",
  );
  return BigInt(row?.balance ?? 0);
};
/** A transfer that isn't sent: nonce 0 of a wallet of its own. */
async function sign(token: `0x${string}`, pays: { to: `0x${string}`; amount: bigint }[]) {
  const account = privateKeyToAccount(generatePrivateKey());
  await world.base.setEther(account.address, 10n ** 18n);
  await world.base.mint(token, account.address, 1_000n);
  await world.caughtUp();
  return Promise.all(
    pays.map(async ({ to, amount }) =>
      account.signTransaction({
        chainId: 8453,
        type: "eip1559",
        to: token,
        data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, amount] }),
        nonce: 0,
        gas: 200_000n,
        maxFeePerGas: 10n ** 10n,
        maxPriorityFeePerGas: 10n ** 6n,
      }),
    ),
  );
}
const send = (raw: `0x${string}` | undefined): Promise<unknown> =>
  world.base.testClient.sendRawTransaction({ serializedTransaction: raw ?? "0x" });

describe("a deposit whose block vanishes", () => {
  it("comes back at another log index: one credit, under the same identity (SAFETY 10)", async () => {
    const player = await world.player();
    const { usdc } = world.base;
    const [mine] = await sign(usdc, [{ to: player.depositAddress, amount: 5n }]);
    const [other] = await sign(usdc, [{ to: world.base.openwork, amount: 7n }]);
    await send(mine);
    await hasFree(player, 5n);
    const read = () => world.query("SELECT log_index, inclusion, canonical FROM chain_log WHERE amount = 5");
    expect(await read()).toEqual([{ log_index: 0, inclusion: 1, canonical: true }]);
    await world.base.reorg(1, [
      { raw: other ?? "0x", block: 0 },
      { raw: mine ?? "0x", block: 0 },
    ]);
    await world.base.mine(1);
    await world.caughtUp();
    await hasFree(player, 5n);
    expect((await read())[0]).toMatchObject({ log_index: 1, inclusion: 2, canonical: true });
    expect(await world.query("SELECT count(*) FROM deposit")).toEqual([{ count: "1" }]);
  });

  it("and whose nonce goes elsewhere is gone for good (SAFETY 10)", async () => {
    const [player, other] = [await world.player(), await world.player()];
    const [paid, instead] = await sign(world.base.usdc, [
      { to: player.depositAddress, amount: 5n },
      { to: other.depositAddress, amount: 6n },
    ]);
    await send(paid);
    await hasFree(player, 5n);
    await world.base.reorg(1, [{ raw: instead ?? "0x", block: 0 }]);
    await world.base.mine(1);
    await hasFree(other, 6n);
    await hasFree(player, 0n);
    await expect(send(paid)).rejects.toThrow(/nonce/i);
    proxy.setFaults();
    await finalize(world);
    expect(await free(player)).toBe(0n);
    expect(await loss()).toBe(0n);
  });

  it.each([
    ["comes back", 5n],
    ["doesn't come back", 0n],
  ])("while nobody watches and %s: the books follow (SAFETY 10)", async (_, left) => {
    const player = await world.player();
    const [raw] = await sign(world.base.usdc, [{ to: player.depositAddress, amount: 5n }]);
    await send(raw);
    await hasFree(player, 5n);
    await world.base.mine(2);
    await world.caughtUp();
    await stopWatching();
    await world.base.reorg(3, left > 0n ? [{ raw: raw ?? "0x", block: 2 }] : []);
    await world.base.mine(2);
    world.watch();
    await world.caughtUp();
    await hasFree(player, left);
    const [seen] = await world.query<{ inclusion: number }>(
      "SELECT inclusion FROM chain_log WHERE amount = 5",
    );
    expect(seen?.inclusion).toBe(left > 0n ? 2 : 1);
  });

  it("before it was credited is never credited (SAFETY 10)", async () => {
    const { usdc } = world.base;
    world.context.settings = {
      ...world.context.settings,
      tiers: new Map([[usdc, [{ upTo: null, playableAt: { depth: 3 } }]]]),
    };
    const player = await world.player();
    const [raw] = await sign(usdc, [{ to: player.depositAddress, amount: 5n }]);
    await send(raw);
    await minedReceipt(world.base.testClient, keccak256(raw ?? "0x"));
    await world.base.mine(1);
    await world.caughtUp();
    expect(await free(player)).toBe(0n);
    await world.base.reorg(2);
    await world.base.mine(6);
    await world.caughtUp();
    expect(await world.query("SELECT state FROM deposit")).toEqual([{ state: "orphaned" }]);
    expect(await world.query("SELECT 1 FROM transfer WHERE reason = 'deposit'")).toEqual([]);
  });
});

describe("money that isn't final", () => {
  const once = (playerId: string, request: string) => ({ playerId, key: randomUUID(), request });
  async function play(red: MoneyPlayer, blue: MoneyPlayer, stakes: [bigint, bigint]): Promise<void> {
    const [proposerStake, takerStake] = stakes;
    const made = await propose(world.context, {
      ...{ by: red.id, idempotency: once(red.id, "offer"), opponent: null, token: world.base.usdc },
      ...{ proposerStake, takerStake, terms: "First to 21." },
      ...{ lapseSeconds: 600, expectedMinutes: 60 },
    });
    if (!made.ok) throw new Error(made.rejection.code);
    await ensureSpareWallets(world.context, "escrow", 2);
    const taken = await accept(world.context, {
      ...{ by: blue.id, idempotency: once(blue.id, "take"), proposalId: made.value.id },
    });
    expect(taken.ok).toBe(true);
  }

  it("is played with up to the caps, each player's and all together, and no more can be lost (SAFETY 11)", async () => {
    await world.stop();
    await proxy.stop();
    await open({ perPlayer: 100n, inAll: 150n });
    const [red, blue, gold] = [await world.player(), await world.player(), await world.player()];
    const { usdc } = world.base;
    const start = await world.base.testClient.getBlockNumber();
    await world.base.mint(usdc, red.depositAddress, 60n);
    await world.base.mint(usdc, red.depositAddress, 41n);
    await world.base.mint(usdc, blue.depositAddress, 100n);
    await world.base.mint(usdc, gold.depositAddress, 90n);
    await world.base.mine(5);
    await world.caughtUp();
    await hasFree(red, 60n);
    await hasFree(gold, 90n);
    expect(await free(blue)).toBe(0n);
    const waiting = "SELECT amount::text FROM deposit WHERE state = 'seen' ORDER BY id";
    expect(await world.query(waiting)).toEqual([{ amount: "41" }, { amount: "100" }]);

    // All that is playable is staked in a game, and then everything vanishes.
    await play(red, gold, [60n, 90n]);
    const depth = Number((await world.base.testClient.getBlockNumber()) - start);
    await world.base.reorg(depth);
    await world.base.mine(1);
    await waitFor(async () => (await loss()) > 0n, { what: "the loss", ...patience });
    expect(await loss()).toBe(150n);
    expect(await world.query("SELECT 1 FROM deposit WHERE state <> 'orphaned'")).toEqual([]);
  });

  it("beyond the caps is credited when it is final (SAFETY 11)", async () => {
    await world.stop();
    await proxy.stop();
    await open({ perPlayer: 10n, inAll: 10n });
    const player = await world.player();
    await world.base.mint(world.base.usdc, player.depositAddress, 11n);
    await world.base.mine(5);
    await world.caughtUp();
    expect(await free(player)).toBe(0n);
    proxy.setFaults();
    await world.base.mine(1);
    await hasFree(player, 11n);
  });
});

describe("a payout's block", () => {
  it("that vanishes while nobody watches: the same bytes again, one final transfer (SAFETY 12)", async () => {
    proxy.setFaults();
    const player = await readyToWithdraw(world, 1_000n);
    proxy.setFaults(...farFinality);
    const asked = await ask(world, player, 777n);
    await sendRound(world.context, { fence: world.fence });
    await waitFor(async () => (await stateOf(world, asked)) === "mined", { what: "the block", ...patience });
    const attempts = "SELECT raw FROM attempt";
    const before = await world.query(attempts);
    await stopWatching();
    await world.base.reorg(1);
    await world.base.mine(2);
    expect(await world.held(world.base.usdc, player.address)).toBe(0n);
    world.watch();
    await waitFor(async () => (await stateOf(world, asked)) === "sending", {
      what: "the reorg",
      ...patience,
    });
    proxy.setFaults();
    await world.settle();
    expect(await world.query(attempts)).toEqual(before);
    expect(await world.held(world.base.usdc, player.address)).toBe(777n);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("that comes back before the collection that brought its money fails there, and is paid once that is back (SAFETY 12)", async () => {
    proxy.setFaults();
    // Each wallet by nonces of its own: nothing else keeps them in order.
    world.context.settings = { ...world.context.settings, payouts: "plain" };
    const player = await world.player();
    const { usdc } = world.base;
    for (const address of [world.vault, player.depositAddress])
      await world.base.setEther(address, 10n ** 18n);
    await world.base.mint(usdc, player.address, 500n);
    await player.pay({ token: usdc, to: player.depositAddress, amount: 500n });
    await finalize(world);
    proxy.setFaults(...farFinality);
    const start = await world.base.testClient.getBlockNumber();
    const sent = async (instruction: string): Promise<void> => {
      await sendRound(world.context, { fence: world.fence });
      const isMined = async () => (await stateOf(world, instruction)) === "mined";
      await waitFor(isMined, { what: "the block", ...patience });
    };
    const [collection] = await world.query<{ id: string }>(
      "SELECT id FROM instruction WHERE kind = 'collect'",
    );
    await sent(collection?.id ?? "");
    const asked = await ask(world, player, 500n);
    await sent(asked);
    const [first] = await attemptsOf(world, asked);

    const depth = Number((await world.base.testClient.getBlockNumber()) - start);
    await world.base.reorg(depth, [{ raw: first?.raw ?? "0x", block: 0 }]);
    await world.base.mine(1);
    await waitFor(async () => (await stateOf(world, asked)) === "sending", {
      what: "the reorg",
      ...patience,
    });
    const receipt = await world.base.testClient.getTransactionReceipt({ hash: first?.hash ?? "0x" });
    expect(receipt.status).toBe("reverted");
    proxy.setFaults();
    await world.settle();
    expect(await stateOf(world, asked)).toBe("final");
    expect((await attemptsOf(world, asked)).map(({ number }) => number)).toEqual([1, 1]);
    await expectEachPaidOnce(world, 1);
  });

  it("that was final and vanishes stops outflows and raises the alarm (SAFETY 12)", async () => {
    proxy.setFaults();
    const player = await readyToWithdraw(world, 1_000n);
    const by = await operator(world);
    const lift = async () => {
      const [standing] = await readStandingBreaches(world.context.pool);
      return liftBreach(world.context, { by, breachId: standing?.id ?? "", reason: "looked at" });
    };
    // One that is over, such as a node's mistake, is lifted.
    await raiseDeepReorg(world.context, "a node said so");
    expect(codeOf(await lift())).toBe("ok");
    const head = await world.base.testClient.getBlockNumber();
    const final = (await readCursor(world.context.pool))?.finalized_number ?? 0n;
    await world.base.reorg(Number(head - final) + 3);
    await world.base.mine(2);
    const alarms = () =>
      world.query<{ invariant: string }>("SELECT invariant FROM breach WHERE lifted_at IS NULL");
    await waitFor(async () => (await alarms()).length > 0, { what: "the alarm", ...patience });
    expect(await alarms()).toEqual([{ invariant: "reorg below finalized" }]);
    // What was paid from may be gone, whoever says otherwise; nor does a silent node say anything.
    for (const faults of [[everything("cut")], []]) {
      proxy.setFaults(...faults);
      expect(await lift()).toMatchObject({
        rejection: { code: "request_invalid", message: expect.stringContaining("books call final") },
      });
    }
    expect(await mayMoneyLeave(world.context.pool)).toBe(false);
    await ask(world, player, 777n);
    expect(await sendRound(world.context, { fence: world.fence })).toBe(false);
    expect(await world.query("SELECT 1 FROM chain_tx WHERE state = 'open'")).toEqual([]);
    expect((await readCursor(world.context.pool))?.finalized_number).toBeGreaterThanOrEqual(final);
  });
});

/** What people took out of suspense, escrows and rake after the backup: the restored books find it and book it again. */
import type { Address } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assignSuspense } from "../../engine/services/assigning.ts";
import { claimPayout } from "../../engine/services/claiming.ts";
import { endRecovery, recoverRound } from "../../engine/services/recovery.ts";
import { claimOwnedSuspense } from "../../engine/services/suspense.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import type { MoneyPlayer, MoneyWorld } from "../helpers/money-world.ts";
import { actAsIssuer } from "../helpers/other-hands.ts";
import {
  type BackedUpWorld,
  createBackedUpWorld,
  recover,
  settleRestored,
  startRestored,
} from "../helpers/restored.ts";
import { ask, readyToWithdraw, startSender } from "../helpers/sender.ts";
import { depositFrom, finalize, freeOf, operator, payAsStranger, spareEscrow } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { codeOf, keyFor, report, startGame, value } from "./wager-world.ts";

let backedUp: BackedUpWorld;
let world: MoneyWorld;
/** For the audit. */
const by = { playerId: "1", handle: "olga" };
beforeEach(async () => {
  backedUp = await createBackedUpWorld({
    approvalLimit: new Map([["0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", 1_000n]]),
  });
  world = backedUp.world;
});
afterEach(() => backedUp.stop());

async function restored(): Promise<MoneyWorld> {
  const old = await backedUp.restored();
  await startRestored(old);
  return old;
}
/** Everything that is owed is sent, and beyond reorg. */
async function settle(): Promise<void> {
  await (await startSender(world)).settle();
  await finalize(world);
}
/** Nobody has got or lost anything by it: the recovery ends by itself, and nothing more leaves. */
async function endsWell(old: MoneyWorld): Promise<void> {
  await recover(old);
  expect(codeOf(await endRecovery(old.context, { by, reason: "all found" }))).toBe("ok");
  const sent = () => old.query("SELECT count(*) FROM chain_tx");
  const before = await sent();
  expect(await claimOwnedSuspense(old.context)).toBe(0);
  await settleRestored(old);
  expect(await sent()).toEqual(before);
  await expectBooksToBalance(old.context, { onChain: true });
}

describe("after a backup (SAFETY 43)", () => {
  it.each([
    ["a game's escrow", () => spareEscrow(world)],
    ["the gas wallet", async () => world.gas],
  ])("what a player had sent to %s and got is that player's, once", async (_where, address) => {
    const [player, to] = [await world.player(), await address()];
    await world.base.mint(world.base.usdc, player.address, 70n);
    await player.pay({ token: world.base.usdc, to, amount: 70n });
    await world.caughtUp();
    await finalize(world);
    await backedUp.takeBackup();
    expect(await claimOwnedSuspense(world.context)).toBe(1);
    await settle();
    expect(await world.held(world.base.usdc, to)).toBe(0n);

    const old = await restored();
    await endsWell(old);
    expect(await freeOf(old, player.id)).toBe(70n);
  });

  it("what came from a player's wallet into suspense and was withdrawn to it isn't in the pool as well", async () => {
    const sender = await payAsStranger(world, { to: world.vault, amount: 70n });
    await finalize(world);
    const player = await world.player();
    await world.query("INSERT INTO player_wallet (address, player_id) VALUES ($1, $2)", [sender, player.id]);
    await backedUp.takeBackup();
    expect(await claimOwnedSuspense(world.context)).toBe(1);
    await ask(world, { ...player, address: sender }, 70n);
    await settle();
    expect(await world.held(world.base.usdc, sender)).toBe(70n);

    const old = await restored();
    await endsWell(old);
    expect(await freeOf(old, player.id)).toBe(0n);
    expect(await world.held(world.base.usdc, sender)).toBe(70n);
  });

  /** One of 300 to 200 in USDC that red has won, agreed on by both. */
  async function play(red: MoneyPlayer, blue: MoneyPlayer): Promise<string> {
    const terms = { token: world.base.usdc, proposerStake: 300n, takerStake: 200n };
    const gameId = await startGame(world, { red: red.id, blue: blue.id, ...terms });
    for (const player of [red, blue]) value(await report(world.context, player.id, gameId, "red"));
    return gameId;
  }

  it("rake that was swept isn't swept again", async () => {
    const [red, blue] = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
    await play(red, blue);
    await settle();
    await backedUp.takeBackup();
    const token = world.base.usdc;
    const owner = await operator(world);
    const plan = value(await sweep(world.context, { by: owner, token, dryRun: true }));
    const confirmTotal = BigInt(plan.total.amount);
    expect(confirmTotal).toBeGreaterThan(0n);
    value(await sweep(world.context, { by: owner, token, dryRun: false, confirmTotal }));
    await settle();

    const old = await restored();
    await endsWell(old);
    expect(value(await sweep(old.context, { by: owner, token, dryRun: true })).total.amount).toBe("0");
    expect(await world.held(token, old.context.settings.houseAddress as Address)).toBe(confirmTotal);
  });

  it("a payout that its winner took into the pool isn't paid to the wallet as well", async () => {
    const [red, blue] = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
    await world.query("UPDATE player SET winnings_to = 'wallet' WHERE id = $1", [red.id]);
    await actAsIssuer(world, { functionName: "blacklist", args: [red.address] });
    const gameId = await play(red, blue);
    await settle();
    await backedUp.takeBackup();
    value(await claimPayout(world.context, { by: red.id, idempotency: keyFor(red.id), gameId }));
    await actAsIssuer(world, { functionName: "unBlacklist", args: [red.address] });
    await settle();
    const free = await freeOf(world, red.id);

    const old = await restored();
    await endsWell(old);
    expect(await freeOf(old, red.id)).toBe(free);
    expect(await world.held(world.base.usdc, red.address)).toBe(0n);
  });

  it("what an operator had credited to a player is credited when an operator says so again", async () => {
    const player = await world.player();
    await world.base.mint(world.base.usdc, world.gas, 9n);
    await world.caughtUp();
    await finalize(world);
    const depositId = await depositFrom(world, `0x${"0".repeat(40)}`);
    const owner = await operator(world);
    const [{ handle } = { handle: "" }] = await world.query<{ handle: string }>(
      "SELECT handle FROM player WHERE id = $1",
      [player.id],
    );
    await backedUp.takeBackup();
    const assign = ({ context }: MoneyWorld) =>
      assignSuspense(context, { by: owner, depositId, handle, reason: "the bridge's receipt" });
    value(await assign(world));
    await settle();

    const old = await restored();
    await waitFor(
      async () => {
        await recoverRound(old.context);
        await old.base.mine(1);
        return (await old.query("SELECT FROM chain_log WHERE kind = 'stray'")).length > 0;
      },
      { what: "the move that nothing explains", timeoutMs: 30_000, everyMs: 50 },
    );
    await waitFor(async () => codeOf(await assign(old)) === "ok", {
      what: "the operator's word",
      timeoutMs: 30_000,
    });
    await endsWell(old);
    expect(await freeOf(old, player.id)).toBe(9n);
  });
});

import type { Address } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readAuditPage } from "../../engine/services/audit.ts";
import { claimPayout, claimWithdrawal } from "../../engine/services/claiming.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { readGame } from "../../engine/services/game-reads.ts";
import { giveBack } from "../../engine/services/giving-back.ts";
import { readHistory } from "../../engine/services/history.ts";
import { listInstructions, retryInstruction } from "../../engine/services/instruction-list.ts";
import { accept, propose } from "../../engine/services/proposals.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { listSuspense, refundSuspense } from "../../engine/services/suspense.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { listWithdrawals } from "../../engine/services/withdrawals.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { takeNextEvents } from "../helpers/events.ts";
import { createWatchedWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { actAsIssuer } from "../helpers/other-hands.ts";
import { ask, readyToWithdraw, stateOf, stopMining } from "../helpers/sender.ts";
import { depositFrom, finalize, freeOf, operator, payAsStranger } from "../helpers/treasury.ts";
import { codeOf, keyFor, offerBy, report, value } from "./wager-world.ts";

const limit = 1_000n;
let world: MoneyWorld;
let by: { playerId: string; handle: string };
beforeAll(async () => {
  world = await createWatchedWorld({
    approvalLimit: new Map([["0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", limit]]),
  });
  by = await operator(world);
});
afterEach(async () => {
  await world.base.testClient.setAutomine(true);
  await expectBooksToBalance(world.context, { onChain: true });
});
afterAll(() => world.stop());

const money = 5_000n;
const give = (instructionId: string, operatorActing = by) =>
  giveBack(world.context, { by: operatorActing, instructionId, reason: "blocked for good" });
const retry = (instructionId: string) =>
  retryInstruction(world.context, { by, instructionId, reason: "once more" });
const free = (player: MoneyPlayer) => freeOf(world, player.id);

async function setBlocked({ address }: { address: Address }, isBlocked: boolean): Promise<void> {
  await actAsIssuer(world, { functionName: isBlocked ? "blacklist" : "unBlacklist", args: [address] });
  await world.base.mine(1);
}

/** A withdrawal to a wallet that the token has blocked. */
async function parked(amount: bigint): Promise<{ player: MoneyPlayer; id: string }> {
  const player = await readyToWithdraw(world, money);
  await setBlocked(player, true);
  const id = await ask(world, player, amount);
  await world.settle();
  expect(await stateOf(world, id)).toBe("parked");
  return { player, id };
}

describe("a withdrawal that its token refuses (SAFETY 22)", () => {
  it("is given back to its player's pool, once, and is never paid any more", async () => {
    const { player, id } = await parked(777n);
    await takeNextEvents(world.context, 1_000);
    const codes = (await Promise.all(Array.from({ length: 5 }, () => give(id)))).map(codeOf).sort();
    expect(codes).toEqual([...Array.from({ length: 4 }, () => "not_parked"), "ok"]);
    expect(await free(player)).toBe(money);
    const { items } = value(await listWithdrawals(world.context, { by: player.id, limit: 10 }));
    expect(items).toMatchObject([{ state: "cancelled", money: { amount: "777" } }]);
    const events = await takeNextEvents(world.context, 1_000);
    expect(events).toContainEqual(
      expect.objectContaining({
        name: "withdrawal:update",
        data: { withdrawal: expect.objectContaining({ state: "cancelled" }) },
      }),
    );
    expect(events.map(({ name }) => name)).toContain("pool:balance");
    const lines = value(await readHistory(world.context, { by: player.id, limit: 2 })).items;
    expect(lines).toMatchObject([
      { reason: "withdrawal_returned", direction: "in", money: { amount: "777" } },
      { reason: "withdrawal", direction: "out" },
    ]);
    const audit = value(await readAuditPage(world.context, { limit: 100 })).items;
    expect(
      audit.filter(({ action, subject }) => `${action} ${subject}` === `give_back instruction:${id}`),
    ).toHaveLength(1);

    await setBlocked(player, false);
    expect(codeOf(await retry(id))).toBe("not_parked");
    const again = await ask(world, player, 777n);
    await world.settle();
    expect(await stateOf(world, again)).toBe("final");
    expect(await world.held(world.base.usdc, player.address)).toBe(777n);
  });

  it("is either given back or tried again, whoever asks at the same moment", async () => {
    const { player, id } = await parked(10n);
    await setBlocked(player, false);
    const [given, retried] = await Promise.all([give(id), retry(id)]);
    expect(given.ok).toBe(!retried.ok);
    await world.settle();
    const paid = await world.held(world.base.usdc, player.address);
    expect(paid + (await free(player))).toBe(money);
    expect(paid).toBe(given.ok ? 0n : 10n);
  });

  it("needs two operators above the limit", async () => {
    const { player, id } = await parked(limit + 1n);
    expect(codeOf(await give(id))).toBe("second_approval_needed");
    expect(codeOf(await give(id))).toBe("second_approval_needed");
    expect(await free(player)).toBe(money - limit - 1n);
    expect(codeOf(await give(id, await operator(world)))).toBe("ok");
    expect(await free(player)).toBe(money);
  });

  it("stays where it is while it may have been paid by a hand or a copy that the books don't know, or isn't due", async () => {
    const { player, id } = await parked(11n);
    await world.query("INSERT INTO recovery (cause, from_block) VALUES ('a restore', 0)");
    expect(codeOf(await give(id))).toBe("not_returnable");
    await world.query(
      "UPDATE recovery SET ended_at = now(), ended_by = 'test', end_reason = 'test' WHERE ended_at IS NULL",
    );
    await world.query("UPDATE wallet SET frozen_reason = 'a look' WHERE purpose = 'vault'");
    expect(codeOf(await give(id))).toBe("not_returnable");
    await world.query("UPDATE wallet SET frozen_reason = NULL WHERE purpose = 'vault'");
    await world.query("INSERT INTO breach (invariant, detail) VALUES ('6. test', 'a look')");
    expect(codeOf(await give(id))).toBe("not_returnable");
    await world.query("UPDATE breach SET lifted_at = now(), lifted_by = 'test', lift_reason = 'test'");
    await world.query("UPDATE lease SET expires_at = expires_at - interval '1 day' WHERE name = 'chain'");
    expect(codeOf(await give(id))).toBe("not_returnable");
    await world.query("UPDATE lease SET expires_at = expires_at + interval '1 day' WHERE name = 'chain'");
    await world.query("UPDATE instruction SET not_before = now() + interval '1 hour' WHERE id = $1", [id]);
    expect(codeOf(await give(id))).toBe("not_returnable");
    await world.query("UPDATE instruction SET not_before = now() WHERE id = $1", [id]);
    expect(await free(player)).toBe(money - 11n);
    expect(codeOf(await give(id))).toBe("ok");
  });

  it("isn't mixed up with what is nobody's, or isn't there", async () => {
    const [wallet] = await world.query<{ id: string }>("SELECT id FROM wallet WHERE purpose = 'gas'");
    const [other] = await world.query<{ id: string }>(
      `INSERT INTO instruction (kind, source_wallet_id, destination, amount, cause, state)
       VALUES ('topup', $1, $2, 1, 'test', 'parked') RETURNING id`,
      [wallet?.id, world.vault],
    );
    expect(codeOf(await give(other?.id ?? ""))).toBe("not_returnable");
    expect(codeOf(await give("999999"))).toBe("not_found");
  });

  it("only in its block stays owed until the chain has decided for good, and is given back then", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const id = await ask(world, player, 33n);
    await sendRound(world.context, { fence: world.fence });
    await setBlocked(player, true);
    await world.caughtUp();
    await confirmRound(world.context);
    expect(await stateOf(world, id)).toBe("sending");
    expect(codeOf(await give(id))).toBe("not_parked");
    // Even one that somebody has parked by hand.
    await world.query("UPDATE instruction SET state = 'parked' WHERE id = $1", [id]);
    expect(codeOf(await give(id))).toBe("not_returnable");
    await world.query("UPDATE instruction SET state = 'sending' WHERE id = $1", [id]);
    expect(await free(player)).toBe(money - 33n);
    await world.settle();
    expect(await stateOf(world, id)).toBe("parked");
    const { items } = value(await listInstructions(world.context, { state: "parked", limit: 1 }));
    expect(items).toMatchObject([{ id, attempts: 1 }]);
    expect(codeOf(await give(id))).toBe("ok");
    expect(await free(player)).toBe(money);
    expect(await world.held(world.base.usdc, player.address)).toBe(0n);
  });
});

const parkedOf = (gameId: string) =>
  world.query<{ id: string }>("SELECT id FROM instruction WHERE game_id = $1 AND state = 'parked'", [gameId]);

/** A game of 300 to 200 that red has won, and whose payout red's token refuses. */
async function parkedPayout(): Promise<{ red: MoneyPlayer; blue: MoneyPlayer; gameId: string; id: string }> {
  const [red, blue] = [await readyToWithdraw(world, money), await readyToWithdraw(world, money)];
  await world.query("UPDATE player SET winnings_to = 'wallet' WHERE id = $1", [red.id]);
  const stakes = { proposerStake: 300n, takerStake: 200n, token: world.base.usdc };
  const { id: proposalId } = value(await propose(world.context, offerBy(red.id, stakes)));
  const taken = { by: blue.id, idempotency: keyFor(blue.id), proposalId };
  const { gameId } = value(await accept(world.context, taken));
  await setBlocked(red, true);
  for (const { id } of [red, blue]) value(await report(world.context, id, gameId, "red"));
  await world.settle();
  const [payout] = await parkedOf(gameId);
  expect(await free(red)).toBe(money - 300n);
  return { red, blue, gameId, id: payout?.id ?? "" };
}

describe("a payout of a game that its token refuses (SAFETY 22)", () => {
  it("goes into the winner's pool, once, can be withdrawn from there, and holds the rake back no longer", async () => {
    const { red, gameId, id } = await parkedPayout();
    await takeNextEvents(world.context, 1_000);
    const given = await Promise.all(Array.from({ length: 5 }, () => give(id)));
    expect(given.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await free(red)).toBe(money + 175n);
    const events = (await takeNextEvents(world.context, 1_000)).map(({ name }) => name);
    expect(events).toEqual(expect.arrayContaining(["game:update", "pool:balance"]));
    expect(value(await readGame(world.context, gameId)).payouts).toMatchObject([
      { to: "pool", state: "final", money: { amount: "475" } },
    ]);
    const [line] = value(await readHistory(world.context, { by: red.id, limit: 1 })).items;
    expect(line).toMatchObject({ reason: "win", direction: "in", money: { amount: "475" } });

    await setBlocked(red, false);
    expect(codeOf(await retry(id))).toBe("not_parked");
    await world.settle();
    expect(await world.held(world.base.usdc, red.address)).toBe(0n);
    const later = { ...world.context, clock: () => Date.now() + 120_000 };
    const rake = value(await sweep(later, { by, token: world.base.usdc, dryRun: true }));
    expect(rake).toMatchObject({ lines: [{ gameId }], heldBack: [] });
    const withdrawn = await ask(world, red, money + 175n);
    await world.settle();
    expect(await stateOf(world, withdrawn)).toBe("final");
    expect(await world.held(world.base.usdc, red.address)).toBe(money + 175n);
  });
});

describe("what its owner claims without asking anybody", () => {
  it("a parked payout goes into the winner's own pool once, whoever asks for it beside", async () => {
    const { red, blue, gameId, id } = await parkedPayout();
    const claim = (by: string, idempotency = keyFor(by)) =>
      claimPayout(world.context, { by, idempotency, gameId });
    expect(codeOf(await claim(blue.id))).toBe("not_found");
    const key = keyFor(red.id);
    const results = await Promise.all([claim(red.id, key), claim(red.id, key), claim(red.id), give(id)]);
    expect(await free(red)).toBe(money + 175n);
    // The same key is the same answer; another claim, or the operator's, is too late.
    const codes = results.map(codeOf);
    expect(codes[0]).toBe(codes[1]);
    expect([codes[0], codes[2], codes[3]].sort()).toEqual(["not_parked", "not_parked", "ok"]);
    expect(codeOf(await claim(red.id))).toBe("not_parked");
    await setBlocked(red, false);
    await world.settle();
    expect(await world.held(world.base.usdc, red.address)).toBe(0n);
  });

  it("a parked withdrawal goes back, and nobody else's nor one that isn't parked", async () => {
    const { player, id } = await parked(limit + 1n);
    const other = await world.player();
    const [row] = await world.query<{ id: string }>("SELECT id FROM withdrawal WHERE instruction_id = $1", [
      id,
    ]);
    const claim = (by: string) =>
      claimWithdrawal(world.context, { by, idempotency: keyFor(by), withdrawalId: row?.id ?? "" });
    expect(codeOf(await claim(other.id))).toBe("not_found");
    expect(value(await claim(player.id))).toMatchObject({
      state: "cancelled",
      money: { amount: `${limit + 1n}` },
    });
    expect(codeOf(await claim(player.id))).toBe("not_parked");
    expect(await free(player)).toBe(money);
    expect(await free(other)).toBe(0n);
  });
});

describe("a refund that its token refuses", () => {
  it("above the limit needs two operators each time that it goes out", async () => {
    const sender = await payAsStranger(world, { to: world.vault, amount: limit + 1n });
    await finalize(world);
    await setBlocked({ address: sender }, true);
    const depositId = await depositFrom(world, sender);
    const second = await operator(world);
    const refund = (operatorActing = by) =>
      refundSuspense(world.context, { by: operatorActing, depositId, reason: "nobody's" });
    expect(codeOf(await refund())).toBe("second_approval_needed");
    value(await refund(second));
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'refund'");
    await world.settle();
    const [instruction] = await world.query<{ id: string }>(
      "SELECT id FROM instruction WHERE kind = 'refund' AND state = 'parked'",
    );
    expect(codeOf(await give(instruction?.id ?? ""))).toBe("second_approval_needed");
    value(await give(instruction?.id ?? "", second));
    expect(codeOf(await refund())).toBe("second_approval_needed");
    expect(codeOf(await refund())).toBe("second_approval_needed");
    value(await refund(second));
    await setBlocked({ address: sender }, false);
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'refund'");
    await world.settle();
    expect(await world.held(world.base.usdc, sender)).toBe(limit + 1n);
  });

  it("is in suspense again, once, and can be sent back when its sender may be paid again", async () => {
    const sender = await payAsStranger(world, { to: world.vault, amount: 90n });
    await finalize(world);
    const depositId = await depositFrom(world, sender);
    await setBlocked({ address: sender }, true);
    const refund = () => refundSuspense(world.context, { by, depositId, reason: "nobody's" });
    value(await refund());
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'refund'");
    await world.settle();
    const [owed] = await world.query<{ id: string }>(
      "SELECT id FROM instruction WHERE kind = 'refund' AND state = 'parked'",
    );
    const codes = (await Promise.all([give(owed?.id ?? ""), give(owed?.id ?? "")])).map(codeOf).sort();
    expect(codes).toEqual(["not_parked", "ok"]);
    const item = value(await listSuspense(world.context)).items.find(({ id }) => id === depositId);
    expect(item).toMatchObject({ state: "open", money: { amount: "90" } });
    await setBlocked({ address: sender }, false);
    value(await refund());
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'refund'");
    await world.settle();
    expect(await world.held(world.base.usdc, sender)).toBe(90n);
    expect(codeOf(await refund())).toBe("suspense_not_open");
  });
});

import { type Address, encodeFunctionData } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { confirmRound } from "../../engine/services/confirming.ts";
import { checkNonces } from "../../engine/services/foreign-nonces.ts";
import { retryInstruction } from "../../engine/services/instruction-list.ts";
import { prepare } from "../../engine/services/preparing.ts";
import { signWhatIsPrepared } from "../../engine/services/sending.ts";
import { tokenAbi } from "../helpers/contracts.ts";
import { createWatchedWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { actAsIssuer, actAsThiefOfTheVault } from "../helpers/other-hands.ts";
import {
  ask,
  attemptsOf,
  expectEachPaidOnce,
  payBy,
  readyToWithdraw,
  type Sender,
  startSender,
  stateOf,
  stopMining,
} from "../helpers/sender.ts";
import { finalize } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";

// Each test makes blocks until payouts are final: on a busy machine that takes its time.
let world: MoneyWorld;
let sender: Sender;
beforeEach(async () => {
  world = await createWatchedWorld();
  sender = await startSender(world);
});
afterEach(() => world.stop());

const money = 1_000_000n;
const stranger: Address = "0x00000000000000000000000000000000000f00d5";
const holdings = (player: MoneyPlayer) => world.held(world.base.usdc, player.address);

async function retry(instructionId: string): Promise<void> {
  const by = { playerId: (await world.player()).id, handle: "operator" };
  const retried = await retryInstruction(sender.context, { by, instructionId, reason: "it may pass now" });
  expect(retried.ok).toBe(true);
}

/** So many rounds, each with a block. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    await sender.round();
    await world.base.mine(1);
    await world.caughtUp();
    await confirmRound(sender.context);
  }
}

/** Once what is mined is final in the books, has been found out about, and had a round for what follows from it. */
async function finalRound(): Promise<void> {
  await finalize(world);
  await confirmRound(sender.context);
  await rounds(1);
}

describe("a recipient whom the token refuses (SAFETY 22)", () => {
  it("is parked before anything is signed, the others are paid, and a retry pays once", async () => {
    const [blocked, free] = [await readyToWithdraw(world, money), await readyToWithdraw(world, money)];
    await actAsIssuer(world, { functionName: "blacklist", args: [blocked.address] });
    await world.base.mine(1);
    const parked = await ask(world, blocked, 777n);
    const others = [await ask(world, free, 11n), await ask(world, free, 12n)];
    await sender.settle();
    expect(await stateOf(world, parked)).toBe("parked");
    expect(await attemptsOf(world, parked)).toEqual([]);
    expect(await Promise.all(others.map((id) => stateOf(world, id)))).toEqual(["final", "final"]);
    await expectEachPaidOnce(world, 2);

    await actAsIssuer(world, { functionName: "unBlacklist", args: [blocked.address] });
    await world.base.mine(1);
    await retry(parked);
    await sender.settle();
    expect(await holdings(blocked)).toBe(777n);
    await expectEachPaidOnce(world, 3);
  });

  it("from the very block of the payout is parked when that is final, the others are paid, and a retry pays once", async () => {
    const [blocked, free] = [await readyToWithdraw(world, money), await readyToWithdraw(world, money)];
    await stopMining(world);
    const refused = await ask(world, blocked, 777n);
    await ask(world, free, 11n);
    await sender.round();
    await ask(world, free, 12n);
    await actAsIssuer(world, { functionName: "blacklist", args: [blocked.address] });
    await rounds(1);
    expect(await stateOf(world, refused)).toBe("sending");
    await sender.settle();
    expect(await stateOf(world, refused)).toBe("parked");
    expect(
      await world.query("SELECT state FROM instruction_tx WHERE instruction_id = $1", [refused]),
    ).toEqual([{ state: "reverted" }]);
    await expectEachPaidOnce(world, 2);

    await actAsIssuer(world, { functionName: "unBlacklist", args: [blocked.address] });
    await world.base.mine(1);
    await retry(refused);
    await sender.settle();
    expect(await holdings(blocked)).toBe(777n);
    expect(await attemptsOf(world, refused)).toHaveLength(2);
    await expectEachPaidOnce(world, 3);
  });

  it("in a block that then falls out of the chain isn't parked for it, and is paid once by the same bytes", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = await ask(world, player, 777n);
    await sender.round();
    await actAsIssuer(world, { functionName: "blacklist", args: [player.address] });
    await world.base.mine(1);
    await world.caughtUp();
    await confirmRound(sender.context);
    expect(await stateOf(world, asked)).toBe("sending");
    await world.base.reorg(1);
    await world.base.mine(1);
    await world.caughtUp();
    await sender.settle();
    expect(await holdings(player)).toBe(777n);
    expect(await attemptsOf(world, asked)).toHaveLength(1);
    await expectEachPaidOnce(world, 1);
  });
});

describe("a token that is paused (SAFETY 22)", () => {
  it("has payouts wait, and they are paid once when it goes on", async () => {
    const player = await readyToWithdraw(world, money);
    await actAsIssuer(world, { functionName: "pause" });
    await world.base.mine(1);
    const asked = [await ask(world, player, 1n), await ask(world, player, 20n)];
    await rounds(3);
    expect(await Promise.all(asked.map((id) => stateOf(world, id)))).toEqual(["queued", "queued"]);
    await actAsIssuer(world, { functionName: "unpause" });
    await world.base.mine(1);
    await sender.settle();
    expect(await holdings(player)).toBe(21n);
    await expectEachPaidOnce(world, 2);
  });

  it("after a batch was sent has its payouts wait when that is final, and they are paid once", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = [await ask(world, player, 1n), await ask(world, player, 20n)];
    await sender.round();
    await actAsIssuer(world, { functionName: "pause" });
    const states = () => Promise.all(asked.map((id) => stateOf(world, id)));
    await rounds(1);
    expect(await states()).toEqual(["sending", "sending"]);
    await finalRound();
    expect(await states()).toEqual(["queued", "queued"]);
    expect(await holdings(player)).toBe(0n);
    await actAsIssuer(world, { functionName: "unpause" });
    await world.base.mine(1);
    await sender.settle();
    expect(await holdings(player)).toBe(21n);
    await expectEachPaidOnce(world, 2);
  });

  it("after plain payouts were sent has them parked when that is final, and a retry pays once", async () => {
    const player = await readyToWithdraw(world, money);
    payBy(sender.context, "plain");
    await stopMining(world);
    const asked = [await ask(world, player, 1n), await ask(world, player, 20n)];
    await sender.round();
    await actAsIssuer(world, { functionName: "pause" });
    await sender.settle();
    expect(await Promise.all(asked.map((id) => stateOf(world, id)))).toEqual(["parked", "parked"]);
    expect(await holdings(player)).toBe(0n);
    await actAsIssuer(world, { functionName: "unpause" });
    await world.base.mine(1);
    for (const id of asked) await retry(id);
    await sender.settle();
    expect(await holdings(player)).toBe(21n);
    await expectEachPaidOnce(world, 2);
  });
});

describe("a gas wallet that is empty (SAFETY 22)", () => {
  it("has payouts wait, and they are paid once when it is refilled", async () => {
    const player = await readyToWithdraw(world, money);
    await world.base.setEther(world.vault, 0n);
    await world.base.setEther(world.gas, 0n);
    const asked = await ask(world, player, 777n);
    await rounds(3);
    expect(await stateOf(world, asked)).toBe("queued");
    await world.base.setEther(world.gas, 10n ** 18n);
    await sender.settle();
    expect(await holdings(player)).toBe(777n);
    await expectEachPaidOnce(world, 1);
  });

  it("while payouts are out already has them wait as well, and they are paid once when it is refilled", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = [await ask(world, player, 1n), await ask(world, player, 20n)];
    await prepare(sender.context, sender.leadership);
    await signWhatIsPrepared(sender.context, sender.leadership);
    await world.base.setEther(world.vault, 0n);
    await world.base.setEther(world.gas, 0n);
    await rounds(3);
    expect(await Promise.all(asked.map((id) => stateOf(world, id)))).toEqual(["sending", "sending"]);
    await world.base.setEther(world.gas, 10n ** 18n);
    await sender.settle();
    expect(await holdings(player)).toBe(21n);
    await expectEachPaidOnce(world, 2);
  });
});

describe("a top-up whose block falls out of the chain", () => {
  beforeEach(() => payBy(sender.context, "plain"));
  it("is sent again by the same bytes, and what it was for is paid once", async () => {
    const player = await readyToWithdraw(world, money);
    await world.base.setEther(world.vault, 0n);
    await world.base.mine(1);
    await stopMining(world);
    await ask(world, player, 777n);
    await sender.round();
    await sender.round();
    await world.base.mine(1);
    await world.caughtUp();
    await confirmRound(sender.context);
    const topups = () =>
      world.query<{ id: string; state: string; amount: string }>(
        "SELECT id, state, amount FROM instruction WHERE kind = 'topup'",
      );
    const [topup] = await topups();
    expect(topup).toMatchObject({ state: "mined" });
    await world.base.reorg(1);
    await world.base.mine(1);
    await waitFor(async () => (await topups()).some((row) => row.state === "sending"), { what: "the reorg" });
    expect(await world.base.testClient.getBalance({ address: world.vault })).toBe(0n);
    await sender.settle();
    expect(await topups()).toEqual([{ ...topup, state: "final" }]);
    expect(await attemptsOf(world, String(topup?.id))).toHaveLength(1);
    expect(await holdings(player)).toBe(777n);
    await expectEachPaidOnce(world, 1);
  });
});

describe("a hand that isn't ours on the vault's key (SAFETY 24)", () => {
  const standing = () =>
    world.query<{ invariant: string; detail: string }>("SELECT invariant, detail FROM breach");
  const frozen = () => world.query("SELECT purpose FROM wallet WHERE frozen_reason IS NOT NULL");
  const steal = (amount: bigint) =>
    encodeFunctionData({ abi: tokenAbi, functionName: "transfer", args: [stranger, amount] });

  it("that takes tokens is called out by its hash, the vault is frozen, and nothing leaves any more", async () => {
    const player = await readyToWithdraw(world, money);
    const hash = await actAsThiefOfTheVault(world, { to: world.base.usdc, data: steal(5n), nonce: 0 });
    await waitFor(async () => (await standing()).length > 0, { what: "the alarm" });
    expect(await standing()).toEqual([
      { invariant: "stray transfer", detail: expect.stringContaining(hash) },
    ]);
    expect(await frozen()).toEqual([{ purpose: "vault" }]);
    const asked = await ask(world, player, 777n);
    await rounds(3);
    expect(await stateOf(world, asked)).toBe("queued");
    expect(await holdings(player)).toBe(0n);
    // The wallet stays frozen by itself, even when somebody lifts the alarm too soon and makes the nonces agree.
    await world.query("UPDATE wallet SET next_nonce = 1 WHERE purpose = 'vault'");
    await world.query("UPDATE breach SET lifted_at = now(), lifted_by = 'test', lift_reason = 'test'");
    await rounds(2);
    expect(await stateOf(world, asked)).toBe("queued");
    expect(await holdings(player)).toBe(0n);
  });

  it("that only spends a nonce beyond ours is called out before the next payout is signed", async () => {
    const player = await readyToWithdraw(world, money);
    await actAsThiefOfTheVault(world, { to: stranger, nonce: 0 });
    await world.base.mine(1);
    await world.caughtUp();
    const asked = await ask(world, player, 777n);
    await rounds(2);
    expect(await standing()).toMatchObject([{ invariant: "foreign nonce" }]);
    expect(await frozen()).toEqual([{ purpose: "vault" }]);
    expect(await attemptsOf(world, asked)).toEqual([]);
  });

  it("that spends the nonce of an authorisation under way is called out once that is final, and nothing has moved", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = await ask(world, player, 777n);
    await prepare(sender.context, sender.leadership);
    await signWhatIsPrepared(sender.context, sender.leadership);
    await actAsThiefOfTheVault(world, { to: stranger, nonce: 0 });
    await rounds(1);
    expect(await standing()).toEqual([]);
    expect(await stateOf(world, asked)).toBe("sending");
    await finalRound();
    expect(await standing()).toMatchObject([{ invariant: "foreign nonce" }]);
    expect(await frozen()).toEqual([{ purpose: "vault" }]);
    expect(await stateOf(world, asked)).toBe("parked");
    expect(await attemptsOf(world, asked)).toHaveLength(1);
    expect(await holdings(player)).toBe(0n);
  });

  it("that spends the nonce of a payout under way is called out once that is final; the payout isn't given another", async () => {
    const player = await readyToWithdraw(world, money);
    payBy(sender.context, "plain");
    await stopMining(world);
    const asked = await ask(world, player, 777n);
    await prepare(sender.context, sender.leadership);
    await signWhatIsPrepared(sender.context, sender.leadership);
    await actAsThiefOfTheVault(world, { to: stranger, nonce: 0 });
    await rounds(1);
    await checkNonces(sender.context);
    expect(await standing()).toEqual([]);
    await world.base.mine(5);
    await world.caughtUp();
    sender.context.clock = () => Date.now() + 1_000;
    await checkNonces(sender.context);
    expect(await standing()).toMatchObject([{ invariant: "foreign nonce" }]);
    expect(await frozen()).toEqual([{ purpose: "vault" }]);
    await rounds(2);
    expect(await stateOf(world, asked)).toBe("sending");
    expect(await attemptsOf(world, asked)).toHaveLength(1);
    expect(await holdings(player)).toBe(0n);
  });
});

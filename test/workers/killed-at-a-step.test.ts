import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Step } from "../../engine/services/context.ts";
import { retryInstruction } from "../../engine/services/instruction-list.ts";
import { changeMe } from "../../engine/services/players.ts";
import { accept, propose } from "../../engine/services/proposals.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { actAsIssuer } from "../helpers/other-hands.ts";
import { ask, expectEachPaidOnce, readyToWithdraw, startSender, stopMining } from "../helpers/sender.ts";
import { waitFor } from "../helpers/wait.ts";
import { keyFor, offerBy, report, value } from "../services/wager-world.ts";
import { endLease, startSenderProcess } from "./started-sender.ts";

const money = 1_000_000n;

/** The real process, killed where it says; `before` happens while it works. Answers what it left under way. */
async function die(world: MoneyWorld, step: Step, before = async (): Promise<void> => undefined) {
  await endLease(world);
  const dying = await startSenderProcess(world, step);
  try {
    await before();
    expect(await dying.ended()).toBe("SIGKILL");
  } finally {
    await dying.kill();
  }
  const [left] = await world.query<{ nonces: number; stored: number; noted: number }>(
    `SELECT count(DISTINCT chain_tx.id)::int AS nonces, count(hash)::int AS stored, count(sent_at)::int AS noted
     FROM chain_tx LEFT JOIN attempt ON chain_tx_id = chain_tx.id WHERE state = 'open'`,
  );
  return { ...left, atNode: (await world.base.testClient.getTxpoolStatus()).pending };
}

/** By a process that knows nothing but what is in the database, and blocks for what it sends. */
async function goOn(world: MoneyWorld, aheadMs = 0): Promise<void> {
  const stopWatching = world.watch();
  const successor = await startSender(world);
  successor.context.clock = () => Date.now() + aheadMs;
  await successor.settle();
  await stopWatching();
}

describe.each(["batch", "plain"] as const)("a process that is killed, by %s payouts,", (payouts) => {
  const amounts = [1n, 20n, 300n];
  const nonces = payouts === "batch" ? 1 : amounts.length;
  let world: MoneyWorld;
  let player: MoneyPlayer;
  let asked = 0;
  beforeAll(async () => {
    world = await createMoneyWorld({ payouts });
    const stopWatching = world.watch();
    await world.caughtUp();
    player = await readyToWithdraw(world, money);
    await stopMining(world);
    await stopWatching();
  });
  afterAll(() => world.stop());
  const askForAll = async (): Promise<void> => {
    for (const amount of amounts) await ask(world, player, amount);
    asked += amounts.length;
  };

  const steps: [string, Step, { stored: number; atNode: number }][] = [
    ["after the nonces, before signing", "prepared", { stored: 0, atNode: 0 }],
    ["after signing, before storing", "signed", { stored: 0, atNode: 0 }],
    ["after storing, before sending", "stored", { stored: nonces, atNode: 0 }],
    ["after the node took it, before that was written down", "given", { stored: nonces, atNode: nonces }],
  ];
  it.each(steps)(
    "%s leaves the rest to the next one, which pays each once (SAFETY 19)",
    async (_, step, left) => {
      await askForAll();
      expect(await die(world, step)).toEqual({ nonces, noted: 0, ...left });
      await goOn(world);
      await expectEachPaidOnce(world, asked);
    },
  );

  it("after it read that they failed, before that was written down, has the next one find out, and pay each once (SAFETY 19)", async () => {
    await askForAll();
    const left = await die(world, "found", async () => {
      await waitFor(() => isNoted(nonces), { what: "what was sent", timeoutMs: 20_000 });
      await actAsIssuer(world, { functionName: "pause" });
      await world.base.mine(1);
    });
    expect(left).toEqual({ nonces, stored: nonces, noted: nonces, atNode: 0 });
    await actAsIssuer(world, { functionName: "unpause" });
    await goOn(world);
    expect(await retryParked()).toBe(payouts === "batch" ? 0 : amounts.length);
    await goOn(world);
    expect(
      await world.query("SELECT count(*)::int AS failed FROM chain_tx WHERE state = 'reverted'"),
    ).toEqual([{ failed: nonces }]);
    await expectEachPaidOnce(world, asked);
  });

  /** A payment that failed alone waits for a person; those of a batch go alone by themselves. */
  async function retryParked(): Promise<number> {
    const parked = await world.query<{ id: string }>("SELECT id FROM instruction WHERE state = 'parked'");
    const retry = { by: { playerId: player.id, handle: "operator" }, reason: "The token goes on." };
    for (const { id: instructionId } of parked)
      value(await retryInstruction(world.context, { ...retry, instructionId }));
    return parked.length;
  }

  async function isNoted(count: number): Promise<boolean> {
    const sent = await world.query(
      "SELECT 1 FROM attempt JOIN chain_tx ON chain_tx.id = chain_tx_id WHERE state = 'open' AND sent_at IS NOT NULL",
    );
    return sent.length === count;
  }
});

describe("a process that owes winners, and is killed", () => {
  const expectedMinutes = 1;
  let world: MoneyWorld;
  let red: MoneyPlayer;
  let blue: MoneyPlayer;
  let owed = 0;
  beforeAll(async () => {
    world = await createMoneyWorld({ payouts: "plain" });
    const stopWatching = world.watch();
    await world.caughtUp();
    [red, blue] = [await readyToWithdraw(world, money), await readyToWithdraw(world, money)];
    value(await changeMe(world.context, red.id, { winningsTo: "wallet" }));
    await stopMining(world);
    await stopWatching();
  });
  afterAll(() => world.stop());

  /** Games whose stakes are in their wallets. */
  async function play(count: number): Promise<string[]> {
    const gameIds: string[] = [];
    for (let index = 1; index <= count; index += 1) {
      const stakes = { proposerStake: 1_000n + BigInt(index), takerStake: 500n, token: world.base.usdc };
      const offer = offerBy(red.id, { ...stakes, expectedMinutes });
      const { id: proposalId } = value(await propose(world.context, offer));
      const taken = { by: blue.id, idempotency: keyFor(blue.id), proposalId };
      gameIds.push(value(await accept(world.context, taken)).gameId);
    }
    await goOn(world);
    owed += count;
    return gameIds;
  }
  /** What each winner is owed, from which wallet. */
  const owedBy = () =>
    world.query<{ address: `0x${string}`; state: string }>(
      "SELECT address, state FROM instruction JOIN wallet ON wallet.id = source_wallet_id WHERE kind = 'payout' ORDER BY instruction.id",
    );

  it("after the settlement, before anything of it is prepared, has the next one pay it once (SAFETY 19)", async () => {
    const { reportWindowMs, undoWindowMs } = world.context.settings.clocks;
    // So long ago that the clock over the lone report has run out by now.
    world.context.clock = () => Date.now() - expectedMinutes * 60_000 - reportWindowMs;
    const [gameId = ""] = await play(1);
    value(await report(world.context, red.id, gameId, "red"));
    world.context.clock = Date.now;
    expect(await owedBy()).toEqual([]);
    expect(await die(world, "settled")).toEqual({ nonces: 0, stored: 0, noted: 0, atNode: 0 });
    expect(await owedBy()).toMatchObject([{ state: "queued" }]);
    await goOn(world, undoWindowMs);
    await expectEachPaidOnce(world, owed, "payout");
  });

  it("when four of ten are sent has the next one pay the six others, each once (SAFETY 23)", async () => {
    for (const gameId of await play(10))
      for (const { id } of [red, blue]) value(await report(world.context, id, gameId, "red"));
    const queued = (await owedBy()).filter(({ state }) => state === "queued");
    expect(queued).toHaveLength(10);
    // The other six get theirs of the gas wallet first.
    for (const { address } of queued.slice(0, 4)) await world.base.setEther(address, 10n ** 16n);
    expect(await die(world, "given")).toEqual({ nonces: 4, stored: 4, noted: 0, atNode: 4 });
    await goOn(world);
    await expectEachPaidOnce(world, owed, "payout");
  });
});

import type { Address } from "viem";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mayMoneyLeave, readStandingBreaches } from "../../engine/db/breaches.ts";
import { lockCursor } from "../../engine/db/cursor.ts";
import { transaction } from "../../engine/db/pool.ts";
import { endRecovery as end, isReadingAgain, readRecovery } from "../../engine/db/recovery.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { runDueDeadlines } from "../../engine/services/deadlines.ts";
import { accept as acceptOffer, propose } from "../../engine/services/proposals.ts";
import { endRecovery, recoverIfOld, recoverRound } from "../../engine/services/recovery.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { openworkAddress } from "../../scripts/local/tokens.ts";
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
import { ask, readyToWithdraw, startSender, stopMining } from "../helpers/sender.ts";
import { finalize } from "../helpers/treasury.ts";
import { untilLocked, waitFor } from "../helpers/wait.ts";
import { runOperator } from "../operator/command-line.ts";
import { codeOf, keyFor, offerBy, report, value } from "./wager-world.ts";

/** Each look at a chain that was forked asks for many accounts, and each command is a process of its own. */
vi.setConfig({ testTimeout: 240_000 });

let backedUp: BackedUpWorld;
let world: MoneyWorld;
/** For the audit. */
const by = { playerId: "1", handle: "olga" };
beforeEach(async () => {
  backedUp = await createBackedUpWorld();
  world = backedUp.world;
});
afterEach(() => backedUp.stop());

const owedInAll = 10;
const amountOf = (index: number): bigint => 1_000n + BigInt(index);
async function paidTo(player: MoneyPlayer): Promise<bigint> {
  return world.held(world.base.usdc, player.address);
}
async function poolOf(old: MoneyWorld, { id }: MoneyPlayer): Promise<bigint> {
  const [{ balance } = { balance: "" }] = await old.query<{ balance: string }>(
    "SELECT balance FROM account WHERE kind = 'player.available' AND player_id = $1",
    [id],
  );
  return BigInt(balance);
}
async function settled(sender: { settle(): Promise<void> }): Promise<void> {
  await sender.settle();
  await finalize(world);
}
const sum = Array.from({ length: owedInAll }, (_, index) => amountOf(index)).reduce((a, b) => a + b, 0n);

describe("a backup that is restored after ten more payouts (SAFETY 43)", () => {
  it("whose payouts it had as owed starts in recovery, finds them on the chain, and pays nobody twice", async () => {
    const player = await readyToWithdraw(world, 100_000n);
    for (let index = 0; index < owedInAll; index += 1) await ask(world, player, amountOf(index));
    await backedUp.takeBackup();
    const sender = await startSender(world);
    await settled(sender);
    expect(await paidTo(player)).toBe(sum);

    const old = await backedUp.restored();
    const sent = () =>
      Promise.all(
        [world.vault, world.gas].map((address) => old.base.testClient.getTransactionCount({ address })),
      );
    const before = await sent();
    // Ten in one transaction, and the vault's authorisation.
    expect(before).toEqual([1, 1]);
    await startRestored(old);
    expect(await mayMoneyLeave(old.context.pool)).toBe(false);
    expect(await sendRound(old.context, { fence: old.fence })).toBe(false);
    await recover(old);
    const states = await old.query<{ state: string }>(
      "SELECT state FROM instruction WHERE kind = 'withdrawal'",
    );
    expect(states.map(({ state }) => state)).toEqual(Array.from({ length: owedInAll }, () => "final"));
    expect(await sent()).toEqual(before);
    expect(await paidTo(player)).toBe(sum);

    expect(codeOf(await endRecovery(old.context, { by, reason: "all ten found" }))).toBe("ok");
    await expectBooksToBalance(old.context, { onChain: true });
    // Money leaves again, once, and the ten stay what they are.
    await ask(old, player, 77n);
    await settleRestored(old);
    expect(await paidTo(player)).toBe(sum + 77n);
    await expectBooksToBalance(old.context, { onChain: true });
  });

  it("whose payouts were asked for later books them, so that nobody has the money twice", async () => {
    const player = await readyToWithdraw(world, 100_000n);
    await backedUp.takeBackup();
    const sender = await startSender(world);
    for (let index = 0; index < owedInAll; index += 1) await ask(world, player, amountOf(index));
    await settled(sender);

    const old = await backedUp.restored("other means");
    await startRestored(old);
    expect((await readRecovery(old.context.pool))?.cause).toContain("has sent");
    await recover(old);
    expect(await poolOf(old, player)).toBe(100_000n - sum);
    expect(codeOf(await endRecovery(old.context, { by, reason: "all ten found" }))).toBe("ok");
    await settleRestored(old);
    expect(await paidTo(player)).toBe(sum);
    await expectBooksToBalance(old.context, { onChain: true });
  });

  it("freezes the wallet of a payout that nothing asks for, names it, and doesn't end before it is explained", async () => {
    const player = await readyToWithdraw(world, 5_000n);
    await backedUp.takeBackup();
    // A second player comes after the backup, is paid, and is unknown to the restored books.
    const later = await readyToWithdraw(world, 3_000n);
    const sender = await startSender(world);
    await ask(world, later, 3_000n);
    await settled(sender);
    const [paid] = await world.query<{ hash: string }>(
      "SELECT mined_hash AS hash FROM instruction_tx JOIN instruction ON instruction.id = instruction_id WHERE kind = 'withdrawal'",
    );

    const old = await backedUp.restored();
    await startRestored(old);
    await waitFor(
      async () => {
        await recoverRound(old.context);
        await old.base.mine(1);
        // Nobody may ask for a withdrawal before.
        if (await isReadingAgain(old.context.pool)) return false;
        return (await readStandingBreaches(old.context.pool)).some(({ detail }) =>
          detail.includes(paid?.hash ?? "?"),
        );
      },
      { what: "the payout to be named, and all blocks to be read", timeoutMs: 60_000, everyMs: 100 },
    );
    const frozen = await old.query("SELECT purpose FROM wallet WHERE frozen_reason IS NOT NULL");
    expect(frozen).toEqual([{ purpose: "vault" }]);
    const refused = await endRecovery(old.context, { by, reason: "hurry" });
    expect(refused).toMatchObject({
      ok: false,
      rejection: { message: expect.stringContaining(paid?.hash ?? "?") },
    });
    await ask(old, player, 100n);
    expect(await sendRound(old.context, { fence: old.fence })).toBe(false);
    const { appUrl } = old.database;
    const environment = { DATABASE_URL: appUrl, BASE_RPC_URLS: world.base.rpcUrl };
    const recovery = await runOperator(["recovery"], { environment });
    expect(recovery).toMatchObject({ code: 0, stderr: "" });
    expect(recovery.stdout).toContain(`in ${paid?.hash}: nothing in the books asked for it.`);
    expect(recovery.stdout).toContain("Nothing leaves until all of this is explained.");

    // Somebody asks for it after all, while a block is being written.
    await old.query("INSERT INTO player_wallet (address, player_id) VALUES ($1, $2)", [
      later.address,
      player.id,
    ]);
    await ask(old, { ...player, address: later.address }, 3_000n);
    const strays = () => old.query("SELECT FROM chain_log WHERE kind = 'stray'");
    expect(await strays()).toHaveLength(1);
    const round = await transaction(old.context.pool, async (tx) => {
      await lockCursor(tx);
      const underWay = recoverRound(old.context);
      await untilLocked(old.query, "the round to wait its turn");
      expect(await strays()).toHaveLength(1);
      return { underWay };
    });
    await round.underWay;
    expect(await strays()).toEqual([]);
  });

  it("whose games were decided since has them decided again, and by no clock; nobody spends what has left", async () => {
    const [red, { usdc }] = [await world.player(), world.base];
    await world.base.mint(usdc, red.address, 1_000n);
    await red.pay({ token: usdc, to: world.vault, amount: 1_000n });
    const blue = await readyToWithdraw(world, 1_000n);
    const terms = { token: usdc, proposerStake: 100n, takerStake: 100n, expectedMinutes: 1 };
    const play = async (): Promise<string> => {
      const { id } = value(await propose(world.context, offerBy(red.id, terms)));
      const taken = { by: blue.id, idempotency: keyFor(blue.id), proposalId: id };
      return value(await acceptOffer(world.context, taken)).gameId;
    };
    const says = async ({ context }: MoneyWorld, { id }: MoneyPlayer, gameId: string, won: "red" | "blue") =>
      value(await report(context, id, gameId, won));
    const [gameId, silent] = [await play(), await play()];
    const offer = value(await propose(world.context, offerBy(red.id, terms)));
    await says(world, red, gameId, "red");
    await backedUp.takeBackup();
    await says(world, blue, gameId, "blue");
    await says(world, red, gameId, "blue");
    await ask(world, blue, 900n);
    const sender = await startSender(world);
    await settled(sender);

    const old = await backedUp.restored();
    await expect(ask(old, blue, 60n)).rejects.toThrow("switched_off");
    let laterMs = 3 * world.context.settings.clocks.resultGraceMs;
    old.context.clock = () => Date.now() + laterMs;
    await startRestored(old);
    const stray = "SELECT FROM chain_log WHERE kind = 'stray'";
    await waitFor(async () => (await old.query(stray)).length > 0, { what: "the pot's move to be seen" });
    await recoverRound(old.context);
    expect(await runDueDeadlines(old.context, { limit: 100 })).toBe(0);
    await says(old, blue, gameId, "blue");
    await says(old, red, gameId, "blue");
    await recover(old);
    // Blue has 800 and 190, and 900 have left.
    expect(await poolOf(old, blue)).toBe(90n);

    laterMs += laterMs;
    expect(codeOf(await endRecovery(old.context, { by, reason: "all found" }))).toBe("ok");
    expect(await runDueDeadlines(old.context, { limit: 100 })).toBe(0);
    const [told] = await old.query<{ data: { proposal: { id: string; expiresAt: string } } }>(
      "SELECT data FROM outbox WHERE name = 'proposal:update' ORDER BY id DESC LIMIT 1",
    );
    expect(told?.data.proposal.id).toBe(offer.id);
    expect(Date.parse(told?.data.proposal.expiresAt ?? "")).toBeGreaterThan(old.context.clock());
    await says(old, red, silent, "red");
  });

  const modes = [
    ["batch", ["collect"]],
    ["plain", ["collect", "topup"]],
  ] as const;
  it.each(modes)("knows its own moves by %s again: %s, and a payout that failed", async (payouts, kinds) => {
    const player = await readyToWithdraw(world, 5_000n);
    await backedUp.takeBackup();
    const sender = await startSender(world, { settings: { payouts } });
    await world.base.mint(world.base.usdc, player.depositAddress, 700n);
    await world.caughtUp();
    await finalize(world);
    await settled(sender);
    const moves = await world.query<{ kind: string; state: string }>(
      "SELECT kind, state FROM instruction ORDER BY kind",
    );
    expect(moves).toEqual(kinds.map((kind) => ({ kind, state: "final" })));
    // Sent to somebody whom the token refuses from that very block on.
    await ask(world, player, 60n);
    await stopMining(world);
    await sender.round();
    await actAsIssuer(world, { functionName: "blacklist", args: [player.address] });
    await world.base.mine(1);
    await finalize(world);
    await waitFor(
      async () => {
        await confirmRound(sender.context);
        return (await world.query("SELECT 1 FROM instruction WHERE state = 'parked'")).length === 1;
      },
      { what: "the payout to have failed", timeoutMs: 30_000 },
    );

    const old = await backedUp.restored();
    await startRestored(old);
    await recover(old);
    const found = await old.query<{ kind: string; state: string }>(
      "SELECT kind, state FROM instruction ORDER BY kind",
    );
    // What failed has moved nothing: the money is where it was, in the pool.
    expect(found).toEqual(moves);
    expect(await poolOf(old, player)).toBe(5_700n);
    expect(codeOf(await endRecovery(old.context, { by, reason: "all found" }))).toBe("ok");
    expect(await world.held(world.base.usdc, world.vault)).toBe(5_700n);
    await expectBooksToBalance(old.context, { onChain: true });
  });

  const moments = [
    "before they were asked for",
    "before they were sent",
    "while their batch was out",
  ] as const;
  it.each(moments)(
    "%s: a batch that failed, of which each was paid by itself then, is paid once",
    async (moment) => {
      const [free, blocked] = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
      if (moment === "before they were asked for") await backedUp.takeBackup();
      await stopMining(world);
      // Two of them are alike.
      for (const amount of [10n, 20n, 20n]) await ask(world, free, amount);
      await ask(world, blocked, 5n);
      if (moment === "before they were sent") await backedUp.takeBackup();
      const sender = await startSender(world);
      await sender.round();
      if (moment === "while their batch was out") await backedUp.takeBackup();
      await actAsIssuer(world, { functionName: "blacklist", args: [blocked.address] });
      await settled(sender);
      expect(await paidTo(free)).toBe(50n);
      expect(await world.query("SELECT nonce FROM chain_tx")).toHaveLength(4);

      const old = await backedUp.restored();
      await startRestored(old);
      await recover(old);
      expect(codeOf(await endRecovery(old.context, { by, reason: "all found" }))).toBe("ok");
      await settleRestored(old);
      expect(await paidTo(free)).toBe(50n);
      expect(await poolOf(old, free)).toBe(950n);
      // Nothing has moved for this one: it is still owed, or it is in the pool.
      const wasAsked = moment !== "before they were asked for";
      expect(await poolOf(old, blocked)).toBe(wasAsked ? 995n : 1_000n);
      expect(await old.query("SELECT destination FROM instruction WHERE state <> 'final'")).toEqual(
        wasAsked ? [{ destination: blocked.address }] : [],
      );
      await expectBooksToBalance(old.context, { onChain: true });
    },
  );

  it("sees what the world has beyond the books, also when a token answers nothing any more", async () => {
    await ensureSpareWallets(world.context, "deposit", 1);
    await backedUp.takeBackup();
    const shown: Address[] = [];
    for (let index = 0; index < 3; index += 1) shown.push((await world.player()).depositAddress);
    await world.base.mint(world.base.usdc, shown.at(-1) ?? "0x", 9n);
    await world.base.testClient.setCode({ address: openworkAddress, bytecode: "0x00" });

    const old = await backedUp.restored("other means");
    await recoverIfOld(old.context);
    const standing = await readRecovery(old.context.pool);
    expect(standing?.cause).toContain(`${shown.at(-1)} holds money`);
    // Whoever has looked at another, that has ended since, doesn't end this one.
    const another = { id: String(Number(standing?.id) + 1), by: "ada", reason: "all found", at: new Date() };
    expect(await transaction(old.context.pool, (tx) => end(tx, another))).toBeNull();
    expect(await readRecovery(old.context.pool)).toEqual(standing);
  });

  it("gives no address to a new player that somebody may have been shown since", async () => {
    await ensureSpareWallets(world.context, "deposit", 3);
    await backedUp.takeBackup();
    const shown: Address[] = [];
    for (let index = 0; index < 5; index += 1) shown.push((await world.player()).depositAddress);
    const [last] = shown.slice(-1);
    await world.base.mint(world.base.usdc, last ?? "0x", 9n);
    await finalize(world);

    const old = await backedUp.restored("other means");
    await startRestored(old);
    expect((await readRecovery(old.context.pool))?.cause).toMatch(
      /holds money, and the books have never issued it/,
    );
    await ensureSpareWallets(old.context, "deposit", 3);
    const fresh = await old.query<{ address: Address }>(
      "SELECT address FROM wallet WHERE purpose = 'deposit' AND player_id IS NULL AND NOT retired",
    );
    expect(fresh).toHaveLength(3);
    for (const { address } of fresh) expect(shown).not.toContain(address);
    // What comes to such an address is somebody's, and stays in sight.
    await waitFor(
      async () =>
        (await old.query("SELECT 1 FROM deposit WHERE suspense_cause = 'unassigned_deposit_address'"))
          .length === 1,
      { what: "the deposit in suspense", timeoutMs: 30_000 },
    );
  });
});

import type { FastifyInstance } from "fastify";
import type { Address } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createPool, transaction } from "../../engine/db/pool.ts";
import { buildApp } from "../../engine/http/app.ts";
import { readAuditPage } from "../../engine/services/audit.ts";
import type { Context } from "../../engine/services/context.ts";
import { findDeposit, listDeposits } from "../../engine/services/deposit-list.ts";
import { readGame, readGamePool, readPayouts } from "../../engine/services/game-reads.ts";
import { listOwnSuspense } from "../../engine/services/own-suspense.ts";
import { readReceipt } from "../../engine/services/receipts.ts";
import { sendRound } from "../../engine/services/sending.ts";
import {
  claimOwnedSuspense,
  claimSuspenseOf,
  listSuspense,
  refundSuspense,
} from "../../engine/services/suspense.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { longQueues } from "../helpers/database.ts";
import { createWatchedWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { readyToWithdraw } from "../helpers/sender.ts";
import { depositFrom, finalize, freeOf, operator, payAsStranger, spareEscrow } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { Browser, newAccount } from "../http/site.ts";
import { codeOf, report, startGame, value } from "./wager-world.ts";

let world: MoneyWorld;
let anOperator: { playerId: string; handle: string };
beforeAll(async () => {
  world = await createWatchedWorld({
    approvalLimit: new Map([["0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", 1_000n]]),
  });
  anOperator = await operator(world);
});
afterEach(() => expectBooksToBalance(world.context));
afterAll(() => world.stop());

const toVault = (amount: bigint) => payAsStranger(world, { to: world.vault, amount });
const link = (player: MoneyPlayer, address: string) =>
  world.query("INSERT INTO player_wallet (address, player_id) VALUES ($1, $2)", [address, player.id]);
const claim = (player: MoneyPlayer, address: string) =>
  transaction(world.context.pool, (tx) =>
    claimSuspenseOf(world.context, tx, { playerId: player.id, address }),
  );
const itemOf = async (depositId: string) =>
  value(await listSuspense(world.context)).items.find(({ id }) => id === depositId);

/** What the player's own page says of it. */
const shownTo = async ({ id }: Pick<MoneyPlayer, "id">) =>
  value(await listOwnSuspense(world.context, id)).items;

describe("money from a wallet that nobody signed in with", () => {
  it("is nobody's until its sender links the wallet, and then the sender's", async () => {
    const sender = await toVault(50n);
    const depositId = await depositFrom(world, sender);
    expect(await itemOf(depositId)).toMatchObject({
      state: "open",
      cause: "unknown_sender",
      sender,
      claimedBy: null,
    });
    await finalize(world);
    const player = await world.player();
    expect(await claim(player, sender)).toEqual([depositId]);
    expect(await freeOf(world, player.id)).toBe(50n);
    expect(await itemOf(depositId)).toMatchObject({ state: "claimed", claimedBy: { id: player.id } });
    const { items } = value(await listDeposits(world.context, { by: player.id, limit: 10 }));
    expect(items).toMatchObject([{ id: depositId, state: "final", posted: true, money: { amount: "50" } }]);
  });

  it("goes to one of two who claim it at the same moment (SAFETY 4)", async () => {
    const sender = await toVault(50n);
    await finalize(world);
    const players = [await world.player(), await world.player()];
    const claimed = await Promise.all(players.map((player) => claim(player, sender)));
    expect(claimed.map(({ length }) => length).sort()).toEqual([0, 1]);
    const free = await Promise.all(players.map(({ id }) => freeOf(world, id)));
    expect(free.reduce((sum, each) => (each > 0n ? sum + each : sum), 0n)).toBe(50n);
  });

  it("isn't given out before it is final, and comes by itself when it is", async () => {
    const sender = await toVault(9n);
    const player = await world.player();
    expect(await shownTo(player)).toEqual([]);
    await link(player, sender);
    expect(await claim(player, sender)).toEqual([]);
    expect(await shownTo(player)).toMatchObject([
      {
        money: { amount: "9" },
        sender,
        state: "open",
        why: "It came from a wallet that nobody had signed in with.",
        next: "You sent it, so it goes into your pool by itself once it is final.",
      },
    ]);
    expect(await claimOwnedSuspense(world.context)).toBe(0);
    await finalize(world);
    expect(await claimOwnedSuspense(world.context)).toBe(1);
    expect(await claimOwnedSuspense(world.context)).toBe(0);
    expect(await freeOf(world, player.id)).toBe(9n);
    expect(await shownTo(player)).toEqual([]);
  });

  it("and came to an address before its player did is shown to that player, who can link the sender (SAFETY 7)", async () => {
    await ensureSpareWallets(world.context, "deposit");
    const [spare] = await world.query<{ address: Address }>(
      "SELECT address FROM wallet WHERE purpose = 'deposit' AND player_id IS NULL ORDER BY id LIMIT 1",
    );
    const sender = await payAsStranger(world, { to: spare?.address ?? "0x", amount: 6n });
    const player = await world.player();
    expect(player.depositAddress).toBe(spare?.address);
    expect(await shownTo(player)).toMatchObject([
      {
        money: { amount: "6" },
        recipient: player.depositAddress,
        why: "It came to a deposit address before that was anybody's.",
        next: "Link the wallet that sent it, and it is yours. If you can't, an operator can send it back.",
      },
    ]);
    await link(player, sender);
    await finalize(world);
    await claimOwnedSuspense(world.context);
    expect(await freeOf(world, player.id)).toBe(6n);
    expect(await shownTo(player)).toEqual([]);
  });

  it("is explained to whoever asks for its transaction", async () => {
    const sender = await toVault(4n);
    const depositId = await depositFrom(world, sender);
    const txHash = (await itemOf(depositId))?.txHash ?? "";
    const player = await world.player();
    const ask = async (hash = txHash) =>
      value(await findDeposit(world.context, { by: player.id, txHash: hash }));
    expect(await ask()).toMatchObject({ status: "suspense", deposits: [] });
    await finalize(world);
    await claim(player, sender);
    expect(await ask()).toMatchObject({ status: "credited", deposits: [{ id: depositId }] });
    expect(await ask(`0x${"00".repeat(32)}`)).toMatchObject({ status: "not_found" });
    const elsewhere = await player.pay({ token: world.base.usdc, to: sender, amount: 0n });
    expect(await ask(elsewhere.hash)).toMatchObject({ status: "not_ours" });
    const failed = await player.pay({ token: world.base.usdc, to: sender, amount: 10n ** 30n });
    expect(await ask(failed.hash)).toMatchObject({ status: "failed" });
  });
});

describe("over HTTP, by the wallet's own signature", () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    const { context } = world;
    app = await buildApp({ context, trustedProxyHops: 0, requestsPerMinute: 1_000_000 });
  });
  afterAll(() => app.close());
  const browser = () => new Browser(app, world.context.settings.publicOrigin);
  const poolOf = async (visitor: Browser) => {
    const { balances } = await visitor.get("readBalances");
    return balances.map(({ free }) => free).filter(({ amount }) => amount !== "0");
  };
  const ways: [how: string, prove: (account: PrivateKeyAccount) => Promise<Browser>][] = [
    [
      "signs in with it",
      async (account) => {
        const visitor = browser();
        await visitor.signIn(account);
        return visitor;
      },
    ],
    [
      "links it as a second wallet",
      async (account) => {
        const visitor = browser();
        await visitor.signIn(newAccount());
        expect(await poolOf(visitor)).toEqual([]);
        await visitor.get("linkWallet", { body: await visitor.linkChallenge(account) });
        return visitor;
      },
    ],
  ];
  it.each(ways)("what a wallet sent is at once in the pool of whoever %s, and once", async (_how, prove) => {
    const account = newAccount();
    await payAsStranger(world, { to: world.vault, amount: 50n, account });
    await finalize(world);
    const visitor = await prove(account);
    expect(await poolOf(visitor)).toMatchObject([{ token: world.base.usdc, amount: "50" }]);
    const again = browser();
    await again.signIn(account);
    await again.get("linkWallet", { body: await again.linkChallenge(account) });
    expect(await claimOwnedSuspense(world.context)).toBe(0);
    expect(await poolOf(again)).toMatchObject([{ token: world.base.usdc, amount: "50" }]);
  });

  it("two players who link the sender at the same moment: one gets the money, the other is told 409 (SAFETY 4)", async () => {
    const account = newAccount();
    const depositId = await depositFrom(
      world,
      await payAsStranger(world, { to: world.vault, amount: 50n, account }),
    );
    await finalize(world);
    const readyToLink = async () => {
      const player = browser();
      await player.signIn(newAccount());
      return { player, body: await player.linkChallenge(account) };
    };
    const link = async ({ player, body }: Awaited<ReturnType<typeof readyToLink>>) => ({
      player,
      answer: await player.ask("linkWallet", { body }),
    });
    const [one, two] = [await readyToLink(), await readyToLink()];
    const [won, lost] = (await Promise.all([link(one), link(two)])).sort(
      (a, b) => a.answer.status - b.answer.status,
    );
    expect(won.answer).toMatchObject({ status: 200, body: { wallets: [{}, {}] } });
    expect(lost.answer).toMatchObject({ status: 409, body: { code: "wallet_taken", status: 409 } });
    expect(await poolOf(won.player)).toMatchObject([{ token: world.base.usdc, amount: "50" }]);
    // Nor does the other get it later, when what wasn't final is looked at again, or by another signature.
    expect(await claimOwnedSuspense(world.context)).toBe(0);
    const body = await lost.player.linkChallenge(account);
    expect(await lost.player.refused("linkWallet", { body })).toBe("409 wallet_taken");
    expect(await poolOf(lost.player)).toEqual([]);
    const booked = await world.query("SELECT amount FROM transfer WHERE business_key = $1", [
      `suspense:${depositId}:claimed`,
    ]);
    expect(booked).toEqual([{ amount: "50" }]);
  });
});

describe("what can't be credited at once is in sight for its sender and the operator alike", () => {
  const refund = (depositId: string) =>
    refundSuspense(world.context, { by: anOperator, depositId, reason: "not a stake" });
  const cases: [what: string, input: () => Promise<{ token: Address; to: Address; amount: bigint }>][] = [
    [
      "a stake that is late (SAFETY 6)",
      async () => ({ token: world.base.usdc, to: await spareEscrow(world), amount: 40n }),
    ],
    [
      "more than any stake",
      async () => ({ token: world.base.usdc, to: await spareEscrow(world), amount: 10n ** 12n }),
    ],
    [
      "less than a stake",
      async () => ({ token: world.base.usdc, to: await spareEscrow(world), amount: 39n }),
    ],
    ["dust of one unit", async () => ({ token: world.base.usdc, to: await spareEscrow(world), amount: 1n })],
    [
      "the other listed token (SAFETY 8)",
      async () => ({ token: world.base.openwork, to: await spareEscrow(world), amount: 9n }),
    ],
    ["tokens for the gas wallet", async () => ({ token: world.base.usdc, to: world.gas, amount: 5n })],
  ];
  async function arrive({ token, to, amount }: { token: Address; to: Address; amount: bigint }) {
    const player = await world.player();
    await world.base.mint(token, player.address, amount);
    const { hash } = await player.pay({ token, to, amount });
    await world.caughtUp();
    const depositId = await depositFrom(world, player.address);
    const listed = await itemOf(depositId);
    expect(listed).toMatchObject({ state: "open", sender: player.address, txHash: hash, money: { token } });
    const asked = value(await findDeposit(world.context, { by: player.id, txHash: hash }));
    expect(asked).toMatchObject({
      status: "suspense",
      explanation: expect.stringContaining("into your pool by itself"),
    });
    expect(asked.deposits).toMatchObject([{ id: depositId, txHash: hash, money: listed?.money }]);
    const other = value(await findDeposit(world.context, { by: anOperator.playerId, txHash: hash }));
    expect(other).toMatchObject({ status: "suspense", deposits: [] });

    const whyNot = to === world.gas ? "a wallet of ours that takes no deposits" : "a game's escrow";
    expect(await shownTo(player)).toMatchObject([
      {
        ...{ id: depositId, money: listed?.money, state: "open", txHash: hash, recipient: to },
        why: expect.stringContaining(whyNot),
        next: expect.stringContaining("into your pool by itself"),
      },
    ]);
    expect(await shownTo({ id: anOperator.playerId })).toEqual([]);
    expect(await claim(player, player.address)).toEqual([]);
    await finalize(world);
    return { player, depositId, hash };
  }

  it.each(cases)("%s, sent by a player, goes into the pool once it is final", async (_what, input) => {
    const { token, to, amount } = await input();
    const { player, depositId, hash } = await arrive({ token, to, amount });
    await world.settle();
    const inVault = await world.held(token, world.vault);
    await claimOwnedSuspense(world.context);
    expect(await freeOf(world, player.id, token)).toBe(amount);
    expect(await shownTo(player)).toEqual([]);
    expect(await itemOf(depositId)).toMatchObject({ state: "claimed", claimedBy: { id: player.id } });
    expect(codeOf(await refund(depositId))).toBe("suspense_not_open");
    const asked = value(await findDeposit(world.context, { by: player.id, txHash: hash }));
    expect(asked.status).toBe("credited");
    await world.settle();
    expect(await world.held(token, to)).toBe(0n);
    expect(await world.held(token, world.vault)).toBe(inVault + amount);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it.each(cases)("%s, sent by a player, goes back when an operator says so", async (_what, input) => {
    const { token, to, amount } = await input();
    const { player, depositId, hash } = await arrive({ token, to, amount });
    // A token without a limit of its own needs two operators for any amount.
    if (amount > 1_000n || token !== world.base.usdc) {
      expect(codeOf(await refund(depositId))).toBe("second_approval_needed");
      const by = await operator(world);
      expect(codeOf(await refundSuspense(world.context, { by, depositId, reason: "not a stake" }))).toBe(
        "ok",
      );
    } else expect(codeOf(await refund(depositId))).toBe("ok");
    expect(await shownTo(player)).toMatchObject([
      { id: depositId, state: "refunded", next: "It is on its way back to the wallet that sent it." },
    ]);
    await world.settle();
    expect(await world.held(token, player.address)).toBe(amount);
    expect(await itemOf(depositId)).toMatchObject({ state: "refunded" });
    expect(await shownTo(player)).toMatchObject([
      { id: depositId, state: "refunded", next: "It is back in the wallet that sent it." },
    ]);
    const after = value(await findDeposit(world.context, { by: player.id, txHash: hash }));
    expect(after.explanation).toContain("went back to its sender");
    await expectBooksToBalance(world.context, { onChain: true });
  });
});

describe("a refund", () => {
  const refund = (depositId: string, by = anOperator) =>
    refundSuspense(world.context, { by, depositId, reason: "nobody came" });

  it("sends it back to its sender, once, and is written down", async () => {
    const sender = await toVault(60n);
    const depositId = await depositFrom(world, sender);
    expect(codeOf(await refund(depositId))).toBe("not_final_yet");
    await finalize(world);
    // Books that are older than the world may not know yet that it is its sender's, who has withdrawn it.
    await world.query("INSERT INTO recovery (cause, from_block) VALUES ('a restore', 0)");
    expect(codeOf(await refund(depositId))).toBe("switched_off");
    await world.query("UPDATE recovery SET ended_at = now(), ended_by = 'test', end_reason = 'test'");
    const results = await Promise.all(Array.from({ length: 10 }, () => refund(depositId)));
    expect(results.map(codeOf).filter((code) => code === "ok")).toHaveLength(1);
    expect(results.map(codeOf).filter((code) => code === "suspense_not_open")).toHaveLength(9);
    await world.settle();
    expect(await world.held(world.base.usdc, sender)).toBe(60n);
    expect(await itemOf(depositId)).toMatchObject({ state: "refunded" });
    const { items } = value(await readAuditPage(world.context, { limit: 100 }));
    expect(items.filter(({ subject }) => subject === `deposit:${depositId}`)).toHaveLength(1);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("and a claim at the same moment: only one of them happens", async () => {
    const sender = await toVault(11n);
    const depositId = await depositFrom(world, sender);
    await finalize(world);
    const player = await world.player();
    const [refunded, claimed] = await Promise.all([refund(depositId), claim(player, sender)]);
    expect(refunded.ok).toBe(claimed.length === 0);
    await world.settle();
    const back = await world.held(world.base.usdc, sender);
    const kept = await freeOf(world, player.id);
    expect(back + kept).toBe(11n);
  });

  it("of what landed in an escrow wallet leaves that wallet", async () => {
    const escrow = await spareEscrow(world);
    const sender = await payAsStranger(world, { to: escrow, amount: 70n });
    const depositId = await depositFrom(world, sender);
    await finalize(world);
    expect(codeOf(await refund(depositId))).toBe("ok");
    await world.settle();
    expect(await world.held(world.base.usdc, sender)).toBe(70n);
    expect(await claim(await world.player(), sender)).toEqual([]);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("above the limit takes two operators, and one who asks twice is one", async () => {
    const sender = await toVault(1_001n);
    const depositId = await depositFrom(world, sender);
    await finalize(world);
    const first = await operator(world);
    expect(codeOf(await refund(depositId, first))).toBe("second_approval_needed");
    expect(codeOf(await refund(depositId, first))).toBe("second_approval_needed");
    expect(await itemOf(depositId)).toMatchObject({ state: "open" });
    expect(codeOf(await refund(depositId))).toBe("ok");
  });

  it("above the limit doesn't count the word of one who is no operator any more", async () => {
    const sender = await toVault(1_002n);
    const depositId = await depositFrom(world, sender);
    await finalize(world);
    const { settings } = world.context;
    const former = await operator(world);
    expect(codeOf(await refund(depositId, former))).toBe("second_approval_needed");
    world.context.settings = settings;
    expect(codeOf(await refund(depositId))).toBe("second_approval_needed");
    expect(codeOf(await refund(depositId, await operator(world)))).toBe("ok");
  });

  it("of much stands before dust in the operator's list, whatever came last", async () => {
    const much = await depositFrom(world, await toVault(900n));
    const dust = await depositFrom(world, await toVault(1n));
    const open = value(await listSuspense(world.context)).items.filter(({ state }) => state === "open");
    const ids = open.map(({ id }) => id);
    expect(ids.indexOf(much)).toBeLessThan(ids.indexOf(dust));
  });

  it("of minted money is refused: there is no sender to go back to", async () => {
    await world.base.mint(world.base.usdc, world.vault, 5n);
    await world.caughtUp();
    await finalize(world);
    const depositId = await depositFrom(world, `0x${"0".repeat(40)}`);
    expect(await shownTo(await world.player())).toEqual([]);
    expect(await refund(depositId)).toMatchObject({
      rejection: { code: "request_invalid", message: expect.stringContaining("no sender") },
    });
    expect(codeOf(await refund("999999"))).toBe("not_found");
  });
});

describe("a stake that is sent to a game's own escrow", () => {
  const [redStake, blueStake] = [50n, 10n];
  /** A game whose pot isn't in its escrow yet. */
  async function start(): Promise<{ gameId: string; escrow: Address; players: string[] }> {
    const red = await readyToWithdraw(world, redStake);
    const blue = await readyToWithdraw(world, blueStake);
    // What other tests have left is over: nothing but the pot is on its way.
    await world.settle();
    const gameId = await startGame(world, {
      ...{ red: red.id, blue: blue.id, token: world.base.usdc },
      ...{ proposerStake: redStake, takerStake: blueStake },
    });
    const [row] = await world.query<{ address: Address }>("SELECT address FROM wallet WHERE game_id = $1", [
      gameId,
    ]);
    return { gameId, escrow: row?.address ?? "0x", players: [red.id, blue.id] };
  }
  async function end({ gameId, players }: { gameId: string; players: string[] }): Promise<void> {
    for (const by of players) value(await report(world.context, by, gameId, "red"));
    await world.settle();
    await finalize(world);
  }
  /** All that the game says of money. */
  const readMoney = async (gameId: string, context = world.context) => ({
    pool: value(await readGamePool(context, gameId)),
    payouts: value(await readPayouts(context, gameId)).items,
    receipt: value(await readReceipt(context, gameId)),
  });
  /** Another process on the same database, as far as it reads: connections of its own, and so caches of its own. */
  async function openOther(): Promise<Context> {
    const pool = createPool({ url: world.database.appUrl, maxConnections: 2, ...longQueues });
    onTestFinished(() => pool.end());
    return createMoneyContext({ pool, chain: world.chain, tokens: world.base });
  }
  const expectInSuspense = async (sender: MoneyPlayer, amounts: string[]) => {
    const items = await shownTo(sender);
    expect(items.map(({ money, state }) => [money.amount, state]).reverse()).toEqual(
      amounts.map((amount) => [amount, "open"]),
    );
    for (const { why } of items) expect(why).toContain("it never counted in a game");
  };

  /** What the one transaction that waits offers for its gas. */
  async function offeredFee(): Promise<bigint> {
    const { pending } = await world.base.testClient.getTxpoolContent();
    const [waiting] = Object.values(pending).flatMap((ofOne) => Object.values(ofOne));
    return BigInt(waiting?.maxFeePerGas ?? 0n);
  }

  it.each([
    // A block begins with those who offer most for its gas.
    ["before", 200n],
    ["behind", 60n],
  ])(
    "in the block that locks the pot, %s it, doesn't count and is in sight (SAFETY 7)",
    async (place, percent) => {
      const game = await start();
      const other = await openOther();
      // What it remembers of the game is from before the stake.
      const poolBefore = value(await readGamePool(other, game.gameId));
      const sender = await world.player();
      await world.base.mint(world.base.usdc, sender.address, 40n);
      const { testClient } = world.base;
      const countPending = async () => (await testClient.getTxpoolStatus()).pending;
      await testClient.setAutomine(false);
      await waitFor(
        async () => {
          await sendRound(world.context, world);
          return (await countPending()) === 1;
        },
        { what: "the pot on its way" },
      );
      const maxFeeWei = ((await offeredFee()) * percent) / 100n;
      const stake = sender.pay({ token: world.base.usdc, to: game.escrow, amount: 40n, maxFeeWei });
      await waitFor(async () => (await countPending()) === 2, { what: "the stake on its way" });
      await world.base.mine(1);
      await testClient.setAutomine(true);
      const { hash } = await stake;
      const { transactions } = await testClient.getBlock();
      expect(transactions.map((each) => each === hash)).toEqual(
        place === "before" ? [true, false] : [false, true],
      );
      await end(game);
      const money = await readMoney(game.gameId);
      const { pool, payouts, receipt } = money;
      expect(pool).toMatchObject({ pot: { amount: "60" }, odds: "5–1" });
      expect(poolBefore).toEqual(pool);
      expect(payouts).toMatchObject([
        { player: { id: game.players[0] }, money: { amount: receipt.outputs.red } },
      ]);
      expect(await readMoney(game.gameId, other)).toEqual(money);
      expect(value(await readGame(other, game.gameId))).toEqual(
        value(await readGame(world.context, game.gameId)),
      );
      const { red, blue, rake, dust } = receipt.outputs;
      expect([red, blue, rake, dust].reduce((sum, part) => sum + BigInt(part), 0n)).toBe(60n);
      await expectInSuspense(sender, ["40"]);
      expect(value(await listOwnSuspense(other, sender.id)).items).toEqual(await shownTo(sender));
      expect(await world.held(world.base.usdc, game.escrow)).toBeGreaterThanOrEqual(40n);
      await expectBooksToBalance(world.context, { onChain: true });
    },
  );

  // Last in this file: the chain's clock doesn't go back.
  it("after its lock, after its settlement and a week later changes nothing of the game (SAFETY 6)", async () => {
    const game = await start();
    const sender = await world.player();
    await world.base.mint(world.base.usdc, sender.address, 60n);
    const send = (amount: bigint) => sender.pay({ token: world.base.usdc, to: game.escrow, amount });
    await world.settle();
    const pool = value(await readGamePool(world.context, game.gameId));
    await send(10n);
    await finalize(world);
    expect(value(await readGamePool(world.context, game.gameId))).toEqual(pool);
    await end(game);
    const settled = await readMoney(game.gameId);
    expect(settled).toMatchObject({
      pool,
      receipt: { inputs: { red: { stake: "50" }, blue: { stake: "10" } } },
    });
    await send(20n);
    await finalize(world);
    expect(await readMoney(game.gameId)).toEqual(settled);

    const weekSeconds = 7 * 24 * 60 * 60;
    const { clock } = world.context;
    world.context.clock = () => clock() + weekSeconds * 1_000;
    await world.base.testClient.increaseTime({ seconds: weekSeconds });
    await send(30n);
    await finalize(world);
    expect(await readMoney(game.gameId)).toEqual(settled);
    await expectInSuspense(sender, ["10", "20", "30"]);
    await claimOwnedSuspense(world.context);
    expect(await freeOf(world, sender.id)).toBe(60n);
    await world.settle();
    expect(await readMoney(game.gameId)).toEqual(settled);
    await expectBooksToBalance(world.context, { onChain: true });
  });
});

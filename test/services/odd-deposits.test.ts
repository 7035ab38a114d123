/** Deposits of other kinds than the usual: what isn't one, sizes and decimals, contracts as senders, a great many. */
import { randomUUID } from "node:crypto";
import { type Address, encodeFunctionData, erc20Abi, type Hex, multicall3Abi } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { formatAmount, parseAmount } from "../../engine/core/money.ts";
import { transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { buildApp } from "../../engine/http/app.ts";
import { listDeposits } from "../../engine/services/deposit-list.ts";
import { createPlayer } from "../../engine/services/new-player.ts";
import { readPoolBalances } from "../../engine/services/pools.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { multicall3Address } from "../../scripts/local/tokens.ts";
import { exact, typed } from "../../web/src/money/show.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { deploySmartWallet, deployToken, smartWalletAbi } from "../helpers/contracts.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { startSender } from "../helpers/sender.ts";
import { finalize, freeOf } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { Browser, newAccount } from "../http/site.ts";

const deployer = privateKeyToAccount(generatePrivateKey());
const decimals = [0, 6, 18, 24] as const;

let world: MoneyWorld;
/** Listed tokens by their decimals. */
let tokens: Map<number, Address>;
/** The same once more, of which nobody has any yet. */
let untouched: Map<number, Address>;
let unlisted: Address;
beforeAll(async () => {
  world = await createMoneyWorld();
  const { testClient } = world.base;
  await world.base.setEther(deployer.address, 10n ** 19n);
  const deploy = (places: number) =>
    deployToken(
      { client: testClient, from: deployer },
      { name: "Odd", symbol: `ODD${places}`, decimals: places },
    );
  [tokens, untouched] = [new Map(), new Map()];
  for (const each of [tokens, untouched])
    for (const places of decimals) each.set(places, await deploy(places));
  unlisted = await deploy(6);
  await listTokens(world.context.pool, [
    { address: world.base.usdc, symbol: "USDC", decimals: 6 },
    ...[...tokens, ...untouched].map(([places, address]) => ({
      address,
      symbol: `ODD${places}`,
      decimals: places,
    })),
  ]);
  world.watch();
  await world.caughtUp();
});
afterAll(async () => {
  await expectBooksToBalance(world.context);
  await world.stop();
});

const send = async (to: Address, data: Hex): Promise<Hex> => {
  const { testClient } = world.base;
  const hash = await testClient.sendTransaction({ account: deployer, to, data, gas: 15_000_000n });
  await minedReceipt(testClient, hash);
  return hash;
};
const transfer = (to: Address, amount: bigint): Hex =>
  encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, amount] });
const freeIn = async (player: MoneyPlayer, token: Address): Promise<bigint> => {
  const [balance] = await readPoolBalances(world.context, world.context.pool, player.id, [token]);
  return BigInt(balance?.free.amount ?? "-1");
};
const logsOf = (hash: string) => world.query("SELECT 1 FROM chain_log WHERE tx_hash = $1", [hash]);

describe("what isn't a deposit", () => {
  it("an unlisted token, no units at all and a transfer that reverts credit nothing and stop nothing (SAFETY 1)", async () => {
    const player = await world.player();
    const { usdc } = world.base;
    await world.base.mint(unlisted, deployer.address, 500n);
    const hashes = [
      await send(unlisted, transfer(player.depositAddress, 500n)),
      await send(usdc, transfer(player.depositAddress, 0n)),
      // More than the sender holds: mined, and without a log.
      await send(usdc, transfer(player.depositAddress, 1n)),
    ];
    const { status } = await minedReceipt(world.base.testClient, hashes[2] as Hex);
    expect(status).toBe("reverted");
    // A real one behind them: whatever was to be said of those before it has been said.
    await world.base.mint(usdc, player.address, 3n);
    await player.pay({ token: usdc, to: player.depositAddress, amount: 3n });
    await waitFor(async () => (await freeOf(world, player.id)) === 3n, { what: "the credit" });
    for (const hash of hashes) expect(await logsOf(hash)).toEqual([]);
    expect(await world.query("SELECT amount FROM deposit WHERE player_id = $1", [player.id])).toEqual([
      { amount: "3" },
    ]);
  });
});

describe("sizes", () => {
  const most = 2n ** 256n - 1n;
  const ofHalf = 2n ** 128n - 1n;
  /** An engine whose signer and settings let all that there is of a token out at once. */
  const startLargePayer = (token: Address) =>
    startSender({ ...world, base: { ...world.base, openwork: token } });

  it.each(decimals)(
    "of a token of %i decimals, one unit, 2^128 − 1 and all there can be are exact to the screen and back (SAFETY 3)",
    async (places) => {
      const token = tokens.get(places) as Address;
      const player = await world.player();
      const amounts = [1n, ofHalf, most - ofHalf - 1n];
      await world.base.mint(token, player.address, most);
      for (const amount of amounts) await player.pay({ token, to: player.depositAddress, amount });
      await finalize(world);
      await waitFor(async () => (await freeIn(player, token)) === most, { what: "the credits" });

      const listed = await listDeposits(world.context, { by: player.id, limit: 10 });
      if (!listed.ok) throw new Error(listed.rejection.code);
      const { items } = listed.value;
      const shown = items.map(({ money }) => formatAmount(BigInt(money.amount), money.decimals));
      expect(shown.map((text) => parseAmount(text, places)).reverse()).toEqual(
        amounts.map((amount) => ({ ok: true, amount })),
      );
      expect(items.map(({ money }) => money.decimals)).toEqual([places, places, places]);

      const sender = await startLargePayer(token);
      let back = 0n;
      for (const amount of amounts) {
        const idempotency = { playerId: player.id, key: randomUUID(), request: `withdraw ${amount}` };
        const asked = await withdraw(sender.context, {
          ...{ by: player.id, token, amount, address: player.address, idempotency },
        });
        expect(asked).toMatchObject({ ok: true, value: { money: { amount: amount.toString() } } });
        await sender.settle();
        back += amount;
        expect(await world.held(token, player.address)).toBe(back);
      }
      expect(await freeIn(player, token)).toBe(0n);
      await expectBooksToBalance(sender.context, { onChain: true });
    },
  );

  const digits = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  it.each([
    [0, digits],
    [6, "115792089237316195423570985008687907853269984665640564039457584007913129.639935"],
    [18, "115792089237316195423570985008687907853269984665640564039457.584007913129639935"],
    [24, "115792089237316195423570985008687907853269984665640564.039457584007913129639935"],
  ])(
    "of a token of %i decimals, a single deposit of 2^256 − 1 is exact on the screen, collected and withdrawn again (SAFETY 3)",
    async (places, text) => {
      const token = untouched.get(places) as Address;
      const whole = { amount: digits, token, decimals: places };
      const sender = await startLargePayer(token);
      const { context } = sender;
      const app = await buildApp({ context, trustedProxyHops: 0, requestsPerMinute: 1_000_000 });
      onTestFinished(() => app.close());
      const visitor = new Browser(app, context.settings.publicOrigin);
      const account = newAccount();
      await visitor.signIn(account);
      await visitor.get("changeMe", { body: { acceptTerms: true } });
      const free = async () => {
        const { balances } = await visitor.get("readBalances");
        return balances.find((balance) => balance.free.token === token)?.free;
      };

      const { address } = await visitor.get("readDepositAddress");
      await world.base.mint(token, deployer.address, most);
      await send(token, transfer(address as Address, most));
      await finalize(world);
      await waitFor(async () => (await free())?.amount === digits, { what: "the credit" });
      const { items } = await visitor.get("listDeposits");
      expect(items).toMatchObject([{ state: "final", money: whole }]);
      for (const money of [await free(), items[0]?.money]) {
        if (money === undefined) throw new Error("nothing is shown");
        expect(typed(money)).toBe(text);
        expect(exact(money)).toMatch(/^115,792,089(,[0-9]{3})+(\.[0-9]+)?$/);
        expect(exact(money).replaceAll(",", "")).toBe(text);
      }

      await sender.settle();
      expect(await world.held(token, world.vault)).toBe(most);
      const asked = parseAmount(text, places);
      if (!asked.ok) throw new Error(`${text} can't be read`);
      await visitor.get("withdraw", {
        body: { token, amount: asked.amount.toString(), address: account.address },
      });
      expect(await free()).toMatchObject({ amount: "0" });
      await sender.settle();
      expect(await world.held(token, account.address)).toBe(most);
      expect((await visitor.get("listWithdrawals")).items).toMatchObject([{ state: "final", money: whole }]);
      await expectBooksToBalance(context, { onChain: true });
    },
  );
});

describe("a wallet that is a contract", () => {
  it("deposits through a bundler for its owner: the sender is the wallet, whoever pays for the transaction (SAFETY 5)", async () => {
    const owner = privateKeyToAccount(generatePrivateKey());
    const { testClient, usdc } = world.base;
    const wallet = await deploySmartWallet({ client: testClient, from: deployer }, owner.address);
    await ensureSpareWallets(world.context, "deposit");
    const created = await transaction(world.context.pool, (tx) => createPlayer(world.context, tx, wallet));
    if (typeof created === "string") throw new Error("no wallet was spare");
    await world.base.mint(usdc, wallet, 250n);
    const call = [usdc, 0n, transfer(world.vault, 250n)] as const;
    const hash = await testClient.readContract({
      ...{ address: wallet, abi: smartWalletAbi, functionName: "executionHash", args: call },
    });
    const signature = await owner.signMessage({ message: { raw: hash } });
    await send(
      wallet,
      encodeFunctionData({ abi: smartWalletAbi, functionName: "executeSigned", args: [...call, signature] }),
    );
    await waitFor(async () => (await freeOf(world, created.playerId)) === 250n, { what: "the credit" });
  });
});

describe("many", () => {
  it("ten thousand deposits of one unit add up exactly, and the watcher keeps up (SAFETY 9)", async () => {
    const [deposits, together] = [10_000, 250];
    const player = await world.player();
    const { usdc, testClient } = world.base;
    await world.base.mint(usdc, multicall3Address, BigInt(deposits));
    const one = { target: usdc, allowFailure: false, callData: transfer(player.depositAddress, 1n) };
    const calls = Array.from({ length: together }, () => one);
    const data = encodeFunctionData({ abi: multicall3Abi, functionName: "aggregate3", args: [calls] });
    for (let sent = 0; sent < deposits; sent += together) await send(multicall3Address, data);
    expect(await world.base.balanceOf(usdc, player.depositAddress)).toBe(BigInt(deposits));
    const head = await testClient.getBlockNumber({ cacheTime: 0 });
    await waitFor(
      async () =>
        (await world.query("SELECT 1 FROM chain_cursor WHERE head_number >= $1", [head.toString()])).length >
        0,
      { what: "the head in the books", timeoutMs: 60_000 },
    );
    expect(await freeOf(world, player.id)).toBe(BigInt(deposits));
    expect(
      await world.query("SELECT count(*)::int AS n FROM deposit WHERE player_id = $1 AND credited", [
        player.id,
      ]),
    ).toEqual([{ n: deposits }]);
  });
});

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withdrawalBody } from "../../engine/contract/account.ts";
import { transaction } from "../../engine/db/pool.ts";
import { updateSwitch } from "../../engine/db/switches.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { listWithdrawals, withdraw } from "../../engine/services/withdrawals.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createWatchedWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { finalize, freeOf, funded } from "../helpers/treasury.ts";
import { codeOf, value } from "./wager-world.ts";

let world: MoneyWorld;
beforeAll(async () => {
  world = await createWatchedWorld();
});
afterAll(() => world.stop());

const ask = (player: MoneyPlayer, amount: bigint, more: { address?: string; key?: string } = {}) =>
  withdraw(world.context, {
    by: player.id,
    token: world.base.usdc,
    amount,
    address: more.address ?? player.address,
    idempotency: {
      playerId: player.id,
      key: more.key ?? randomUUID(),
      request: `withdraw ${amount} ${more.address}`,
    },
  });
const withFinalMoney = async (amount: bigint): Promise<MoneyPlayer> => {
  const player = await funded(world, amount);
  await finalize(world);
  return player;
};

describe("a withdrawal", () => {
  it("leaves the pool at once and reaches the wallet exactly once", async () => {
    const player = await withFinalMoney(100n);
    const asked = value(await ask(player, 40n));
    expect(asked).toMatchObject({
      state: "waiting",
      money: { amount: "40" },
      address: player.address,
      txHash: null,
    });
    expect(await freeOf(world, player.id)).toBe(60n);
    await world.settle();
    expect(await world.held(world.base.usdc, player.address)).toBe(40n);
    const { items } = value(await listWithdrawals(world.context, { by: player.id, limit: 10 }));
    expect(items).toMatchObject([{ id: asked.id, state: "final", txHash: expect.stringMatching(/^0x/) }]);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("of money whose block isn't final is refused, and says how much may leave", async () => {
    const player = await withFinalMoney(30n);
    await world.base.mint(world.base.usdc, player.depositAddress, 70n);
    await world.caughtUp();
    const refused = await ask(player, 31n);
    expect(refused).toMatchObject({
      rejection: { code: "not_final_yet", field: "amount", facts: { free: "100", withdrawable: "30" } },
    });
    expect(codeOf(await ask(player, 30n))).toBe("ok");
    expect(codeOf(await ask(player, 1n))).toBe("not_final_yet");
  });

  it("of more than there is is refused, whatever the size", async () => {
    const player = await withFinalMoney(5n);
    expect(await ask(player, 6n)).toMatchObject({
      rejection: { code: "insufficient_funds", facts: { free: "5", withdrawable: "5", short: "1" } },
    });
    expect(codeOf(await ask(player, 2n ** 256n - 1n))).toBe("insufficient_funds");
    expect(codeOf(await ask(player, 0n))).toBe("amount_not_positive");
    expect(codeOf(await ask(player, -1n))).toBe("amount_not_positive");
    expect(await freeOf(world, player.id)).toBe(5n);
  });

  it("of more than the signer ever lets out at once is refused with the most that may, and takes nothing", async () => {
    const player = await withFinalMoney(50n);
    const { settings } = world.context;
    world.context.settings = { ...settings, withdrawalLimit: new Map([[world.base.usdc, 20n]]) };
    try {
      expect(await ask(player, 21n)).toMatchObject({
        rejection: {
          code: "withdrawal_too_large",
          field: "amount",
          message: expect.stringContaining("At most 0.00002 USDC can be withdrawn at once."),
          facts: { most: "20" },
        },
      });
      expect(await freeOf(world, player.id)).toBe(50n);
      expect(codeOf(await ask(player, 20n))).toBe("ok");
    } finally {
      world.context.settings = settings;
    }
    expect(await freeOf(world, player.id)).toBe(30n);
  });

  it("goes only to a wallet that its player has signed in with", async () => {
    const player = await withFinalMoney(5n);
    const other = await world.player();
    for (const address of [other.address, player.depositAddress, world.vault, `0x${"12".repeat(20)}`]) {
      expect(codeOf(await ask(player, 5n, { address }))).toBe("wallet_not_verified");
    }
  });

  it("of 80 out of 100 succeeds once, however many ask at the same moment", async () => {
    const player = await withFinalMoney(100n);
    const results = await Promise.all(Array.from({ length: 20 }, () => ask(player, 80n)));
    expect(results.map(codeOf).sort()).toEqual([...Array(19).fill("insufficient_funds"), "ok"]);
    expect(await freeOf(world, player.id)).toBe(20n);
  });

  it("asked for fifty times under one key happens once, with one answer", async () => {
    const player = await withFinalMoney(100n);
    const key = randomUUID();
    const results = await Promise.all(Array.from({ length: 50 }, () => ask(player, 10n, { key })));
    expect(new Set(results.map((result) => value(result).id)).size).toBe(1);
    expect(await freeOf(world, player.id)).toBe(90n);
    expect(codeOf(await ask(player, 11n, { key }))).toBe("idempotency_key_reused");
  });

  it("may be asked for while outflows are stopped, and waits", async () => {
    const player = await withFinalMoney(7n);
    await throwOutflows(false);
    const { id } = value(await ask(player, 7n));
    await sendRound(world.context, { fence: world.fence });
    const [waiting] = value(await listWithdrawals(world.context, { by: player.id, limit: 1 })).items;
    expect(waiting).toMatchObject({ id, state: "waiting", txHash: null });
    await throwOutflows(true);
    await world.settle();
    expect(await world.held(world.base.usdc, player.address)).toBe(7n);
  });

  it("is listed page by page, newest first, to its own player only", async () => {
    const player = await withFinalMoney(10n);
    for (const amount of [1n, 2n, 3n]) value(await ask(player, amount));
    const first = value(await listWithdrawals(world.context, { by: player.id, limit: 2 }));
    expect(first.items).toHaveLength(2);
    const rest = value(
      await listWithdrawals(world.context, { by: player.id, limit: 2, cursor: first.nextCursor ?? "" }),
    );
    const amounts = [...first.items, ...rest.items].map(({ money }) => money.amount);
    expect(amounts.sort()).toEqual(["1", "2", "3"]);
    expect(rest.nextCursor).toBeNull();
    const stranger = await world.player();
    expect(value(await listWithdrawals(world.context, { by: stranger.id, limit: 2 })).items).toEqual([]);
    expect(codeOf(await listWithdrawals(world.context, { by: player.id, limit: 2, cursor: "1" }))).toBe(
      "request_invalid",
    );
  });
});

const throwOutflows = (on: boolean) =>
  transaction(world.context.pool, (tx) =>
    updateSwitch(tx, { name: "outflows", on, reason: "test", changedBy: "test", changedAt: new Date() }),
  );

describe("what a client writes as a withdrawal", () => {
  const body = {
    token: "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
    amount: "1",
    address: `0x${"12".repeat(20)}`,
  };
  it.each(
    [
      [
        "",
        " 12 ",
        "0x10",
        "1e21",
        "-1",
        "0",
        "1.5",
        "٣",
        "１２",
        "007",
        "+1",
        "1_000",
        String(2n ** 256n),
        "9".repeat(10_000),
      ],
    ].flat(),
  )("with the amount %j is refused at that field", (amount) => {
    const read = withdrawalBody.safeParse({ ...body, amount });
    expect(read.error?.issues.map(({ path }) => path)).toContainEqual(["amount"]);
  });
  it.each([1, 1n, null, ["1"], {}])("with an amount that isn't text (%s) is refused", (amount) => {
    expect(withdrawalBody.safeParse({ ...body, amount }).success).toBe(false);
  });
  it.each([
    "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914",
    `0x${"0".repeat(40)}`,
    `0x${"1".repeat(39)}`,
    "833589fcd6edb6e08f4c7c32d4f71b54bda02913",
  ])("with the address %s is refused at that field", (address) => {
    const read = withdrawalBody.safeParse({ ...body, address });
    expect(read.error?.issues.map(({ path }) => path)).toContainEqual(["address"]);
  });
  it("with the largest amount of a token is read exactly", () => {
    const amount = String(2n ** 256n - 1n);
    expect(withdrawalBody.parse({ ...body, amount }).amount).toBe(amount);
  });
});

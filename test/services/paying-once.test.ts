import { randomUUID } from "node:crypto";
import { type Address, erc20Abi, parseAbiItem } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Context } from "../../engine/services/context.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { signerPorts } from "../../engine/services/signing.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";
import { createSigner, type SignerOptions } from "../../wallets/signer.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import {
  createWatchedWorld,
  houseAddress,
  type MoneyPlayer,
  type MoneyWorld,
} from "../helpers/money-world.ts";
import { payBy } from "../helpers/sender.ts";

let world: MoneyWorld;
let leadership: { fence: number };
beforeEach(async () => {
  world = await createWatchedWorld();
  leadership = { fence: world.fence };
});
afterEach(async () => {
  await world.stop();
});

/** A player whose pool holds final money, and whose wallet holds none. */
async function rich(amount: bigint): Promise<MoneyPlayer> {
  const player = await world.player();
  await world.base.mint(world.base.usdc, player.depositAddress, amount);
  await world.caughtUp();
  await world.settle();
  return player;
}

async function ask(player: MoneyPlayer, amount: bigint, context: Context = world.context): Promise<void> {
  const idempotency = { playerId: player.id, key: randomUUID(), request: "withdraw" };
  const { id: by, address } = player;
  const asked = await withdraw(context, { by, token: world.base.usdc, amount, address, idempotency });
  expect(asked.ok).toBe(true);
}

/** Every transfer of USDC that the player's wallet got, as the chain tells it. */
async function received(player: { address: Address }): Promise<bigint[]> {
  const logs = await world.base.testClient.getLogs({
    address: world.base.usdc,
    event: parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)"),
    args: { to: player.address },
    fromBlock: 0n,
    strict: true,
  });
  return logs.map(({ args }) => args.value);
}

const states = async (): Promise<string[]> =>
  (
    await world.query<{ state: string }>(
      "SELECT state FROM instruction WHERE kind = 'withdrawal' ORDER BY id",
    )
  ).map(({ state }) => state);

/** The same engine as a fresh process: a signer that remembers only what the database says. */
async function restarted(options: Partial<SignerOptions> = {}): Promise<Context> {
  const unlimited = 2n ** 256n - 1n;
  const signer = createSigner({
    seed: new Seed(developmentMnemonic),
    chainId: 8453,
    chainIsLocal: true,
    tokens: [
      { address: world.base.usdc, decimals: 6, limits: { perTransaction: unlimited, perHour: unlimited } },
    ],
    houseWallet: houseAddress,
    ...signerPorts(world.context.pool, Date.now),
    ...options,
  });
  return { ...world.context, signer };
}

/** Rounds with blocks in between, by a fresh process, until everything is over. */
async function finish(): Promise<void> {
  await world.settle();
  await expectBooksToBalance(world.context, { onChain: true });
}

describe("a signer that refuses one of many", () => {
  it("for good: the others are paid, that one is parked with the reason, and nothing is wedged", async () => {
    const player = await rich(100_000n);
    const limits = { perTransaction: 50_000n, perHour: 2n ** 255n };
    const strict = await restarted({
      tokens: [{ address: world.base.usdc, decimals: 6, limits }],
    });
    for (const amount of [10n, 60_000n, 20n, 30n]) await ask(player, amount);
    world.context.signer = strict.signer;
    await finish();
    expect((await received(player)).sort()).toEqual([10n, 20n, 30n]);
    expect(await states()).toEqual(["final", "parked", "final", "final"]);
    expect(await world.query("SELECT note FROM instruction WHERE state = 'parked'")).toEqual([
      { note: expect.stringContaining("50000") },
    ]);
  });

  it("for now: it is paid later, once", async () => {
    const player = await rich(100_000n);
    let laterMs = 0;
    const now = () => Date.now() + laterMs;
    const limits = { perTransaction: 50_000n, perHour: 50_000n };
    const strict = await restarted({
      tokens: [{ address: world.base.usdc, decimals: 6, limits }],
      now,
    });
    world.context.signer = strict.signer;
    world.context.clock = now;
    for (const amount of [40_000n, 20_000n, 10_000n]) await ask(player, amount);
    for (let round = 0; round < 6; round += 1) {
      await sendRound(world.context, leadership);
      await world.base.mine(1);
      await world.caughtUp();
    }
    expect((await received(player)).sort()).toEqual([10_000n, 40_000n]);
    laterMs = 3_700_000;
    await finish();
    expect(await received(player)).toHaveLength(3);
    expect(await states()).toEqual(["final", "final", "final"]);
  });
});

describe("an hour's limit with room for few of many that are due", () => {
  it("pays those at once, holds up nobody else, and pays the others when there is room", async () => {
    const player = await rich(100_000n);
    let laterMs = 0;
    const now = () => Date.now() + laterMs;
    const limits = { perTransaction: 5_000n, perHour: 10_500n };
    const strict = await restarted({ tokens: [{ address: world.base.usdc, decimals: 6, limits }], now });
    world.context.signer = strict.signer;
    world.context.clock = now;
    for (const amount of [5_000n, 4_999n, 4_998n, 4_997n, 4_996n, 400n, 101n, 4_995n])
      await ask(player, amount);
    for (let round = 0; round < 3; round += 1) {
      await sendRound(world.context, leadership);
      await world.base.mine(1);
      await world.caughtUp();
    }
    expect((await received(player)).sort()).toEqual([101n, 400n, 4_999n, 5_000n].sort());
    for (let hour = 0; hour < 2; hour += 1) {
      laterMs += 3_700_000;
      for (let round = 0; round < 3; round += 1) {
        await sendRound(world.context, leadership);
        await world.base.mine(1);
        await world.caughtUp();
      }
    }
    await finish();
    expect(await received(player)).toHaveLength(8);
  });
});

describe("gas, by plain payouts,", () => {
  beforeEach(() => payBy(world.context, "plain"));
  it("for more payouts than one top-up may bring comes in several, and all are paid", async () => {
    const player = await rich(1_000n);
    const [vault] = await world.query<{ address: Address }>(
      "SELECT address FROM wallet WHERE purpose = 'vault'",
    );
    await world.base.setEther(vault?.address ?? "0x", 0n);
    const small = await restarted({ maxTopupWei: 5_000_000_000_000_000n });
    world.context.signer = small.signer;
    for (let index = 0; index < 60; index += 1) await ask(player, 1n);
    await finish();
    expect(await received(player)).toHaveLength(60);
    expect(
      await world.base.testClient.readContract({
        address: world.base.usdc,
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [player.address],
      }),
    ).toBe(60n);
  });
});

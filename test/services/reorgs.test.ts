import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeepReorgError } from "../../engine/chain/errors.ts";
import type { BlockRef, ChainEvent, TransferLog } from "../../engine/chain/types.ts";
import { readCursor } from "../../engine/db/cursor.ts";
import { createPool } from "../../engine/db/pool.ts";
import { applyChainEvent, StaleEventError } from "../../engine/services/chain-events.ts";
import type { Context } from "../../engine/services/context.ts";
import { throwSwitch } from "../../engine/services/operators.ts";
import { readPoolBalances } from "../../engine/services/pools.ts";
import { accept, propose } from "../../engine/services/proposals.ts";
import { knownTokens } from "../../engine/services/tokens.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { longQueues } from "../helpers/database.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { waitFor } from "../helpers/wait.ts";

let world: MoneyWorld;
beforeEach(async () => {
  world = await createMoneyWorld();
});
afterEach(async () => {
  await expectBooksToBalance(world.context);
  await world.stop();
});

const numbers = async ({ id }: MoneyPlayer) => {
  const [balance] = await readPoolBalances(world.context, world.context.pool, id, [world.base.usdc]);
  return { free: BigInt(balance?.free.amount ?? 0), locked: BigInt(balance?.locked.amount ?? 0) };
};
const loss = async (): Promise<bigint> => {
  const [row] = await world.query<{ balance: string }>(
    "SELECT balance FROM account WHERE kind = 'house.loss'",
  );
  return BigInt(row?.balance ?? 0);
};

async function depositing(amount: bigint) {
  const player = await world.player();
  await world.base.mint(world.base.usdc, player.address, amount);
  const { raw } = await player.pay({ token: world.base.usdc, to: player.depositAddress, amount });
  await waitFor(async () => (await numbers(player)).free === amount, { what: "the credit" });
  return { player, raw };
}

function offer(by: MoneyPlayer, stake: bigint) {
  return propose(world.context, {
    by: by.id,
    idempotency: { playerId: by.id, key: randomUUID(), request: "offer" },
    opponent: null,
    token: world.base.usdc,
    proposerStake: stake,
    takerStake: 10n,
    terms: "First to 21.",
    lapseSeconds: 600,
    expectedMinutes: 60,
  });
}

async function play(by: MoneyPlayer, stake: bigint): Promise<void> {
  const opponent = await world.player();
  await world.base.mint(world.base.usdc, opponent.depositAddress, 10n);
  await world.caughtUp();
  await take(opponent, await offer(by, stake));
}

async function take(by: MoneyPlayer, made: Awaited<ReturnType<typeof offer>>): Promise<void> {
  if (!made.ok) throw new Error(made.rejection.code);
  await ensureSpareWallets(world.context, "escrow", 2);
  const taken = await accept(world.context, {
    by: by.id,
    idempotency: { playerId: by.id, key: randomUUID(), request: "take" },
    proposalId: made.value.id,
  });
  expect(taken.ok).toBe(true);
}

describe("a deposit that falls out of the chain", () => {
  it("takes the offers with it that it was held for, the youngest first, before the house bears anything (SAFETY 11)", async () => {
    world.watch();
    await world.caughtUp();
    const old = await depositing(40n);
    await world.base.mine(5);
    await world.caughtUp();
    const { player } = old;
    expect((await offer(player, 15n)).ok).toBe(true);
    await world.base.mint(world.base.usdc, player.address, 60n);
    await player.pay({ token: world.base.usdc, to: player.depositAddress, amount: 60n });
    await waitFor(async () => (await numbers(player)).free === 85n, { what: "the second credit" });
    expect((await offer(player, 70n)).ok).toBe(true);
    await world.base.reorg(1);
    await world.base.mine(1);
    await waitFor(async () => (await numbers(player)).free === 25n, { what: "what is left of the first" });
    expect(await numbers(player)).toEqual({ free: 25n, locked: 15n });
    expect(await loss()).toBe(0n);
    expect(await world.query("SELECT state, proposer_stake FROM proposal ORDER BY created_at")).toEqual([
      { state: "pending", proposer_stake: "15" },
      { state: "cancelled", proposer_stake: "70" },
    ]);
  });

  it("and was played with is borne by the house, which gets it back when the deposit comes back (SAFETY 11)", async () => {
    world.watch();
    await world.caughtUp();
    const { player, raw } = await depositing(100n);
    // In the same block from the chain's view: nothing else is lost by the reorg below.
    const depth = Number((await world.base.testClient.getBlockNumber()) - (await blockOf(player)) + 1n);
    await play(player, 60n);
    const more = Number(await world.base.testClient.getBlockNumber()) - Number(await blockOf(player)) + 1;
    expect(more).toBeGreaterThanOrEqual(depth);
    await world.base.reorg(more);
    await world.base.mine(1);
    await waitFor(async () => (await loss()) > 0n, { what: "the loss" });
    expect(await loss()).toBe(70n); // the player's 60, and the opponent's 10 that went the same way
    expect((await numbers(player)).free).toBe(0n);
    await expectBooksToBalance(world.context);
    await world.base.testClient.sendRawTransaction({ serializedTransaction: raw });
    await waitFor(async () => (await numbers(player)).free === 40n, { what: "the second credit" });
    expect(await loss()).toBe(10n);
    expect(await numbers(player)).toEqual({ free: 40n, locked: 60n });
  });
});

async function blockOf(player: MoneyPlayer): Promise<bigint> {
  const [row] = await world.query<{ block_number: string }>(
    "SELECT block_number FROM chain_log WHERE recipient = $1 ORDER BY id LIMIT 1",
    [player.depositAddress],
  );
  return BigInt(String(row?.block_number));
}

describe("events told more than once", () => {
  const hash = (number: number): string => `0x${number.toString(16).padStart(64, "0")}`;
  const block = (number: number, salt = 0): BlockRef => ({
    number: BigInt(number),
    hash: hash(number * 1_000 + salt),
    parentHash: hash((number - 1) * 1_000),
    timestampSeconds: BigInt(1_700_000_000 + number),
  });
  const told = (number: number, transfers: TransferLog[] = []): ChainEvent => ({
    type: "block",
    block: block(number),
    transfers,
  });
  const transferTo = (address: string, number: number): TransferLog => ({
    txHash: hash(77),
    blockNumber: BigInt(number),
    blockHash: block(number).hash,
    timestampSeconds: block(number).timestampSeconds,
    logIndex: 3,
    token: world.base.usdc,
    ordinal: 0,
    from: "0x00000000000000000000000000000000000000aa",
    to: address,
    amount: 123n,
  });

  it("fifty times at once by two processes credit once (SAFETY 2)", async () => {
    const player = await world.player();
    const pool = createPool({ url: world.database.appUrl, maxConnections: 10, ...longQueues });
    const other: Context = { ...world.context, pool };
    try {
      await Promise.all([knownTokens(pool), knownTokens(world.context.pool)]);
      const first = await applyChainEvent(world.context, told(100), { after: null });
      const event = told(101, [transferTo(player.depositAddress, 101)]);
      const tries = Array.from({ length: 50 }, (_, index) =>
        applyChainEvent(index % 2 === 0 ? world.context : other, event, { after: first }).then(
          () => "applied",
          (error: unknown) => (error instanceof StaleEventError ? "stale" : String(error)),
        ),
      );
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome === "applied")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === "stale")).toHaveLength(49);
      expect(await numbers(player)).toEqual({ free: 123n, locked: 0n });
    } finally {
      await pool.end();
    }
  });

  it("by a process that was overtaken by a reorg leave no block out", async () => {
    const player = await world.player();
    const at100 = await applyChainEvent(world.context, told(100), { after: null });
    const at101 = await applyChainEvent(world.context, told(101), { after: at100 });
    // The leader goes back; somebody slower still stands on 101 and hands over what comes after it.
    const reorg: ChainEvent = { type: "reorg", commonAncestor: block(100), orphaned: [block(101)] };
    const back = await applyChainEvent(world.context, reorg, { after: at101 });
    await expect(applyChainEvent(world.context, told(102), { after: at101 })).rejects.toThrow(
      StaleEventError,
    );
    const other = { ...block(101, 7), parentHash: at100 };
    const transfers = [{ ...transferTo(player.depositAddress, 101), blockHash: other.hash }];
    await applyChainEvent(world.context, { type: "block", block: other, transfers }, { after: back });
    expect((await numbers(player)).free).toBe(123n);
  });

  it("that take back what was final are refused, and change nothing (SAFETY 12)", async () => {
    let after = await applyChainEvent(world.context, told(100), { after: null });
    for (const number of [101, 102]) after = await applyChainEvent(world.context, told(number), { after });
    await applyChainEvent(world.context, { type: "finalized", block: block(101), safe: null }, { after });
    const reorg: ChainEvent = {
      type: "reorg",
      commonAncestor: block(100),
      orphaned: [block(101), block(102)],
    };
    await expect(applyChainEvent(world.context, reorg, { after })).rejects.toThrow(DeepReorgError);
    expect(await readCursor(world.context.pool)).toMatchObject({
      head_number: 102n,
      finalized_number: 101n,
    });
  });

  it("that bring a deposit back smaller than the loss for it repay as far as it goes (SAFETY 11)", async () => {
    const [player, opponent] = [await world.player(), await world.player()];
    const at100 = await applyChainEvent(world.context, told(100), { after: null });
    const paid = { ...transferTo(opponent.depositAddress, 101), amount: 10n };
    const at101 = await applyChainEvent(world.context, told(101, [paid]), { after: at100 });
    const own = { ...transferTo(player.depositAddress, 102), txHash: hash(78), amount: 100n };
    const at102 = await applyChainEvent(world.context, told(102, [own]), { after: at101 });
    await take(opponent, await offer(player, 60n));
    const reorg: ChainEvent = { type: "reorg", commonAncestor: block(101), orphaned: [block(102)] };
    const back = await applyChainEvent(world.context, reorg, { after: at102 });
    expect(await loss()).toBe(60n);
    const other = { ...block(102, 7), parentHash: at101 };
    const smaller = { ...own, blockHash: other.hash, amount: 45n };
    const again: ChainEvent = { type: "block", block: other, transfers: [smaller] };
    await applyChainEvent(world.context, again, { after: back });
    expect(await loss()).toBe(15n);
    expect(await numbers(player)).toEqual({ free: 0n, locked: 60n });
    await expectBooksToBalance(world.context);
  });

  it("that contradict the chain of parents are refused", async () => {
    const at100 = await applyChainEvent(world.context, told(100), { after: null });
    const foreign: ChainEvent = {
      type: "block",
      block: { ...block(101), parentHash: hash(5) },
      transfers: [],
    };
    await expect(applyChainEvent(world.context, foreign, { after: at100 })).rejects.toThrow(StaleEventError);
    await expect(applyChainEvent(world.context, told(100), { after: at100 })).rejects.toThrow(
      StaleEventError,
    );
  });
});

describe("the switch for deposits", () => {
  it("keeps them in sight, and they are credited once when it is thrown back", async () => {
    world.watch();
    await world.caughtUp();
    const operator = { playerId: (await world.player()).id, handle: "operator" };
    const turn = (on: boolean) =>
      throwSwitch(world.context, operator, { name: "deposits", on, reason: "a test" });
    await turn(false);
    const player = await world.player();
    await world.base.mint(world.base.usdc, player.depositAddress, 9n);
    await world.base.mine(5);
    await world.caughtUp();
    expect((await numbers(player)).free).toBe(0n);
    expect(await world.query("SELECT state FROM deposit")).toEqual([{ state: "seen" }]);
    await expectBooksToBalance(world.context, { onChain: true });
    await turn(true);
    await world.base.mine(1);
    await waitFor(async () => (await numbers(player)).free === 9n, { what: "the credit" });
    await world.settle();
    expect(await world.held(world.base.usdc, world.vault)).toBe(9n);
  });
});

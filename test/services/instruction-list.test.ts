import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDepositAddress } from "../../engine/services/deposit-list.ts";
import { readHistory } from "../../engine/services/history.ts";
import { listInstructions, retryInstruction } from "../../engine/services/instruction-list.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createWatchedWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { finalize, funded, operator } from "../helpers/treasury.ts";
import { codeOf, keyFor, offerBy, value } from "./wager-world.ts";

let world: MoneyWorld;
let player: MoneyPlayer;
beforeAll(async () => {
  world = await createWatchedWorld();
  player = await funded(world, 100n);
  await finalize(world);
});
afterAll(() => world.stop());

describe("a parked transfer", () => {
  it("is tried again when an operator says so, once, and is paid", async () => {
    const token = world.base.usdc;
    const request = {
      by: player.id,
      token,
      amount: 10n,
      address: player.address,
      idempotency: keyFor(player.id),
    };
    value(await withdraw(world.context, request));
    await world.query("UPDATE instruction SET state = 'parked', note = 'refused' WHERE kind = 'withdrawal'");
    await expectBooksToBalance(world.context, { onChain: true });
    const parked = value(await listInstructions(world.context, { state: "parked", limit: 10 }));
    expect(parked.items).toMatchObject([
      {
        kind: "withdrawal",
        state: "parked",
        note: "refused",
        money: { amount: "10" },
        nonce: null,
        attempts: 0,
      },
    ]);
    const instructionId = parked.items[0]?.id ?? "";
    const by = await operator(world);
    const retry = () => retryInstruction(world.context, { by, instructionId, reason: "unblocked" });
    const codes = (await Promise.all([retry(), retry(), retry()])).map(codeOf).sort();
    expect(codes).toEqual(["not_parked", "not_parked", "ok"]);
    await world.settle();
    expect(await world.held(token, player.address)).toBe(10n);
    expect(await world.query("SELECT actor FROM audit WHERE action = 'retry_instruction'")).toHaveLength(1);
    expect(codeOf(await retryInstruction(world.context, { by, instructionId: "999", reason: "x" }))).toBe(
      "not_found",
    );
  });

  it("can't be tried again while a transaction of it may still be mined", async () => {
    const [row] = await world.query<{ id: string }>("SELECT id FROM instruction WHERE kind = 'withdrawal'");
    await world.query("UPDATE instruction SET state = 'parked' WHERE id = $1", [row?.id]);
    const by = await operator(world);
    const again = await retryInstruction(world.context, {
      by,
      instructionId: row?.id ?? "",
      reason: "twice",
    });
    expect(codeOf(again)).toBe("not_parked");
    await world.query("UPDATE instruction SET state = 'final' WHERE id = $1", [row?.id]);
  });

  it("doesn't stand in the way of one that is like it and waits", async () => {
    const [{ usdc }, other] = [world.base, await world.player()];
    const collections = (state: string) =>
      world.query<{ id: string; amount: string }>(
        "SELECT id, amount FROM instruction WHERE kind = 'collect' AND state = $1 ORDER BY id",
        [state],
      );
    for (const amount of [5n, 6n]) {
      await world.base.mint(usdc, other.depositAddress, amount);
      await world.caughtUp();
      await finalize(world);
      if (amount === 5n)
        await world.query(
          "UPDATE instruction SET state = 'parked' WHERE kind = 'collect' AND state = 'queued'",
        );
    }
    const [parked] = await collections("parked");
    expect([parked?.amount, await collections("queued")]).toMatchObject(["5", [{ amount: "6" }]]);
    const by = await operator(world);
    value(
      await retryInstruction(world.context, { by, instructionId: parked?.id ?? "", reason: "unblocked" }),
    );
    expect(await collections("queued")).toHaveLength(2);
    await world.settle();
    expect(await world.held(usdc, other.depositAddress)).toBe(0n);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("is listed page by page; a state or cursor of another kind is refused", async () => {
    const first = value(await listInstructions(world.context, { limit: 1 }));
    const rest = value(await listInstructions(world.context, { limit: 100, cursor: first.nextCursor ?? "" }));
    expect(rest.items.every(({ id }) => BigInt(id) < BigInt(first.items[0]?.id ?? "0"))).toBe(true);
    expect(rest.nextCursor).toBeNull();
    expect(codeOf(await listInstructions(world.context, { limit: 1, state: "lost" }))).toBe(
      "request_invalid",
    );
    expect(codeOf(await listInstructions(world.context, { limit: 1, cursor: "x" }))).toBe("request_invalid");
  });
});

describe("a player's history", () => {
  it("adds up to the pool, line by line", async () => {
    const offer = offerBy(player.id, { token: world.base.usdc, proposerStake: 30n, takerStake: 30n });
    const { id } = value(await proposals.propose(world.context, offer));
    value(
      await proposals.cancel(world.context, {
        by: player.id,
        idempotency: keyFor(player.id),
        proposalId: id,
      }),
    );
    const lines = [];
    let cursor: string | undefined;
    do {
      const page = value(await readHistory(world.context, { by: player.id, limit: 2, cursor }));
      lines.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(lines.map(({ direction, money }) => `${direction} ${money.amount}`)).toEqual([
      "unlocked 30",
      "locked 30",
      "out 10",
      "in 100",
    ]);
    expect(lines[2]?.chainTxHash).toMatch(/^0x/);
  });

  it("begins with an address of the player's own", async () => {
    expect(value(await readDepositAddress(world.context, player.id))).toEqual({
      address: player.depositAddress,
      chainId: 8453,
    });
  });
});

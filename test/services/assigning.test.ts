/** Money that has no sender, or one that can't prove itself, is its player's by an operator's word. */
import type { Address } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { assignSuspense } from "../../engine/services/assigning.ts";
import { readAuditPage } from "../../engine/services/audit.ts";
import { claimOwnedSuspense, refundSuspense } from "../../engine/services/suspense.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createWatchedWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { ask, readyToWithdraw, stateOf } from "../helpers/sender.ts";
import { depositFrom, finalize, freeOf, operator, payAsStranger, spareEscrow } from "../helpers/treasury.ts";
import { untilLocked, waitFor } from "../helpers/wait.ts";
import { codeOf, value } from "./wager-world.ts";

const limit = 1_000n;
const nobody = "0x0000000000000000000000000000000000000000";
let world: MoneyWorld;
let by: { playerId: string; handle: string };
beforeAll(async () => {
  world = await createWatchedWorld({
    approvalLimit: new Map([["0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", limit]]),
  });
  by = await operator(world);
});
afterEach(() => expectBooksToBalance(world.context, { onChain: true }));
afterAll(() => world.stop());

async function handleOf({ id }: Pick<MoneyPlayer, "id">): Promise<string> {
  const [row] = await world.query<{ handle: string }>("SELECT handle FROM player WHERE id = $1", [id]);
  return row?.handle ?? "";
}

const assign = async (depositId: string, player: Pick<MoneyPlayer, "id">, operatorActing = by) =>
  assignSuspense(world.context, {
    ...{ by: operatorActing, depositId, handle: await handleOf(player) },
    reason: "shown to us",
  });

/** As a bridge does: out of nothing, into a wallet of ours. The deposit's id once it is final. */
async function minted(to: Address, amount: bigint): Promise<string> {
  await world.base.mint(world.base.usdc, to, amount);
  await world.caughtUp();
  await finalize(world);
  const [row] = await world.query<{ id: string }>(
    "SELECT deposit.id FROM deposit JOIN chain_log ON chain_log.id = chain_log_id WHERE sender = $1 AND recipient = $2 ORDER BY deposit.id DESC LIMIT 1",
    [nobody, to.toLowerCase()],
  );
  return row?.id ?? "";
}

describe("money in suspense", () => {
  const places: [where: string, address: () => Promise<Address>][] = [
    ["the vault", async () => world.vault],
    ["a game's escrow", () => spareEscrow(world)],
    ["the gas wallet", async () => world.gas],
  ];
  it.each(places)(
    "that was minted into %s is credited to its player, once, and can be withdrawn",
    async (_where, address) => {
      const to = await address();
      const depositId = await minted(to, 70n);
      const player = await readyToWithdraw(world, 5n);
      const other = await world.player();
      const results = await Promise.all([
        assign(depositId, player),
        assign(depositId, player),
        assign(depositId, other),
      ]);
      expect(results.map(codeOf).sort()).toEqual(["ok", "suspense_not_open", "suspense_not_open"]);
      const winner = results[2]?.ok === true ? other : player;
      expect(await freeOf(world, winner.id)).toBe(winner === player ? 75n : 70n);

      await world.query("UPDATE instruction SET not_before = now() WHERE state = 'gathering'");
      const asked = await ask(world, winner, 70n);
      await world.settle();
      expect(await stateOf(world, asked)).toBe("final");
      expect(await world.held(world.base.usdc, winner.address)).toBe(70n);
      if (to !== world.vault) expect(await world.held(world.base.usdc, to)).toBe(0n);
      const { items } = value(await readAuditPage(world.context, { limit: 100 }));
      expect(items.filter(({ subject }) => subject === `deposit:${depositId}`)).toMatchObject([
        { action: "assign_suspense" },
      ]);
    },
  );

  it("of a stranger is either credited or sent back, whichever is asked for first", async () => {
    const sender = await payAsStranger(world, { to: world.vault, amount: 30n });
    await finalize(world);
    const depositId = await depositFrom(world, sender);
    const player = await world.player();
    const codes = await Promise.all([
      assign(depositId, player).then(codeOf),
      refundSuspense(world.context, { by, depositId, reason: "nobody's" }).then(codeOf),
    ]);
    expect([...codes].sort()).toEqual(["ok", "suspense_not_open"]);
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'refund'");
    await world.settle();
    expect(await freeOf(world, player.id)).toBe(codes[0] === "ok" ? 30n : 0n);
    expect(await world.held(world.base.usdc, sender)).toBe(codes[0] === "ok" ? 0n : 30n);
  });

  it("isn't an operator's own by that operator's word, nor nobody's, nor credited before it is final", async () => {
    await world.base.mint(world.base.usdc, world.vault, 8n);
    await world.caughtUp();
    const depositId = await waitFor(
      async () =>
        (
          await world.query<{ id: string }>(
            "SELECT id FROM deposit WHERE suspense_state = 'open' AND amount = 8",
          )
        )[0]?.id,
      { what: "the mint in suspense" },
    );
    const player = await world.player();
    expect(codeOf(await assign(depositId, player))).toBe("not_final_yet");
    await finalize(world);
    expect(codeOf(await assign(depositId, { id: by.playerId }))).toBe("not_allowed");
    const unknown = assignSuspense(world.context, {
      by,
      depositId,
      handle: "no_such_player",
      reason: "shown",
    });
    expect(codeOf(await unknown)).toBe("player_unknown");
    expect(codeOf(await assign("999999", player))).toBe("not_found");
    expect(codeOf(await assign(depositId, player))).toBe("ok");
  });

  it("whose sender has proven to be a player is nobody else's, and stays while its wallet is frozen or a breach stands", async () => {
    // Nothing of it is claimed meanwhile: in this world that is nobody's turn.
    const [sender, other] = [await world.player(), await world.player()];
    const to = await spareEscrow(world);
    await world.base.mint(world.base.usdc, sender.address, 6n);
    await sender.pay({ token: world.base.usdc, to, amount: 6n });
    await world.caughtUp();
    await finalize(world);
    const depositId = await depositFrom(world, sender.address);
    expect(codeOf(await assign(depositId, other))).toBe("not_allowed");
    const freeze = (reason: string | null) =>
      world.query("UPDATE wallet SET frozen_reason = $2 WHERE address = $1", [to, reason]);
    await freeze("a look");
    await claimOwnedSuspense(world.context);
    expect(codeOf(await assign(depositId, sender))).toBe("suspense_in_doubt");
    await freeze(null);
    await world.query("INSERT INTO breach (invariant, detail) VALUES ('6. test', 'a look')");
    await claimOwnedSuspense(world.context);
    expect(codeOf(await assign(depositId, sender))).toBe("suspense_in_doubt");
    await world.query("UPDATE breach SET lifted_at = now(), lifted_by = 'test', lift_reason = 'test'");
    expect(codeOf(await assign(depositId, sender))).toBe("ok");
    expect(await freeOf(world, sender.id)).toBe(6n);
  });

  it("whose sender proves to be a player at that very moment is nobody else's", async () => {
    const depositId = await depositFrom(world, await payAsStranger(world, { to: world.vault, amount: 12n }));
    await finalize(world);
    const [sender, other] = [await world.player(), await world.player()];
    const elsewhere = await world.context.pool.connect();
    try {
      await elsewhere.query("BEGIN");
      await elsewhere.query("SELECT FROM deposit WHERE id = $1 FOR UPDATE", [depositId]);
      const assigned = assign(depositId, other).then(codeOf);
      await untilLocked(world.query, "the operator to wait");
      await elsewhere.query(
        `INSERT INTO player_wallet (address, player_id)
         SELECT sender, $2 FROM deposit JOIN chain_log ON chain_log.id = chain_log_id WHERE deposit.id = $1`,
        [depositId, sender.id],
      );
      await elsewhere.query("COMMIT");
      expect(await assigned).toBe("not_allowed");
    } finally {
      elsewhere.release();
    }
    expect(await freeOf(world, other.id)).toBe(0n);
    expect(codeOf(await assign(depositId, sender))).toBe("ok");
    expect(await freeOf(world, sender.id)).toBe(12n);
  });

  it("above the limit needs two operators who name the same player", async () => {
    const depositId = await minted(world.vault, limit + 1n);
    const [player, other] = [await world.player(), await world.player()];
    expect(codeOf(await assign(depositId, player))).toBe("second_approval_needed");
    expect(codeOf(await assign(depositId, player))).toBe("second_approval_needed");
    const second = await operator(world);
    expect(codeOf(await assign(depositId, other, second))).toBe("second_approval_needed");
    expect(codeOf(await assign(depositId, player, second))).toBe("ok");
    expect(await freeOf(world, player.id)).toBe(limit + 1n);
  });
});

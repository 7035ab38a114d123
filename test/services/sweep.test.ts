import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAuditPage } from "../../engine/services/audit.ts";
import { decideAsOperator } from "../../engine/services/games.ts";
import { retryInstruction } from "../../engine/services/instruction-list.ts";
import { setSwitch } from "../../engine/services/overview.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import {
  createWatchedWorld,
  houseAddress,
  type MoneyPlayer,
  type MoneyWorld,
} from "../helpers/money-world.ts";
import { actAsIssuer } from "../helpers/other-hands.ts";
import { finalize, funded, operator } from "../helpers/treasury.ts";
import { codeOf, keyFor, offerBy, report, value } from "./wager-world.ts";

let world: MoneyWorld;
let red: MoneyPlayer;
let blue: MoneyPlayer;
let by: { playerId: string; handle: string };

beforeAll(async () => {
  world = await createWatchedWorld({ operatorAddresses: new Set() });
  red = await funded(world, 100_000n);
  blue = await funded(world, 100_000n);
  by = await operator(world);
  await finalize(world);
});
afterAll(() => world.stop());

const usdc = () => world.base.usdc;
/** A game of 1,000 each; the rake is 100. */
async function start(): Promise<string> {
  const stakes = { proposerStake: 1_000n, takerStake: 1_000n, token: usdc() };
  const { id } = value(await proposals.propose(world.context, offerBy(red.id, stakes)));
  const taken = await proposals.accept(world.context, {
    by: blue.id,
    idempotency: keyFor(blue.id),
    proposalId: id,
  });
  return value(taken).gameId;
}
/** Both say the same: settled at once, and not to be undone. */
async function play(): Promise<string> {
  const gameId = await start();
  value(await report(world.context, red.id, gameId, "red"));
  value(await report(world.context, blue.id, gameId, "red"));
  return gameId;
}
const plan = async () => value(await sweep(world.context, { by, token: usdc(), dryRun: true }));
const move = (confirmTotal?: bigint) =>
  sweep(world.context, { by, token: usdc(), dryRun: false, confirmTotal });
const whyOf = async (gameId: string) => (await plan()).heldBack.find((line) => line.gameId === gameId)?.why;
const houseHolds = () => world.held(usdc(), houseAddress);

describe("a sweep", () => {
  it("takes only what is earned and free, and says why the rest stays (SAFETY 40)", async () => {
    expect(codeOf(await move(0n))).toBe("nothing_to_sweep");
    const gameId = await play();
    expect(await whyOf(gameId)).toBe("A transfer of this game isn't final on the chain.");
    expect(codeOf(await move(100n))).toBe("nothing_to_sweep");
    await world.settle();

    const disputed = await start();
    value(await report(world.context, red.id, disputed, "red"));
    value(await report(world.context, blue.id, disputed, "blue"));
    const free = await plan();
    expect(free).toMatchObject({ total: { amount: "100" }, destination: houseAddress, instructionIds: [] });
    expect(free.lines).toMatchObject([{ gameId, rake: { amount: "100" }, dust: { amount: "0" } }]);
    expect(codeOf(await move(99n))).toBe("sweep_total_changed");
    expect(codeOf(await move())).toBe("sweep_total_changed");
    expect((await plan()).total.amount).toBe("100");

    // Decided by an operator: it can be undone for a minute.
    world.context.settings = { ...world.context.settings, operatorAddresses: new Set([red.address]) };
    expect(
      codeOf(
        await decideAsOperator(world.context, { by: red.id, gameId: disputed, outcome: "red", reason: "x" }),
      ),
    ).toBe("money_in_it");
    const judge = await world.player();
    world.context.settings = { ...world.context.settings, operatorAddresses: new Set([judge.address]) };
    value(
      await decideAsOperator(world.context, {
        by: judge.id,
        gameId: disputed,
        outcome: "red",
        reason: "seen",
      }),
    );
    expect(await whyOf(disputed)).toContain("can be undone until");
  });

  it("by ten operators at the same moment happens once, and reaches the house exactly (SAFETY 40)", async () => {
    const games = [await play(), await play()];
    await world.query("UPDATE instruction SET not_before = now()");
    await world.settle();
    const later = { ...world.context, clock: () => Date.now() + 120_000 };
    const total = BigInt(value(await sweep(later, { by, token: usdc(), dryRun: true })).total.amount);
    expect(total).toBe(400n);
    const before = await houseHolds();
    const results = await Promise.all(
      Array.from({ length: 10 }, () =>
        sweep(later, { by, token: usdc(), dryRun: false, confirmTotal: total }),
      ),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(results.map(codeOf).filter((code) => code === "nothing_to_sweep")).toHaveLength(9);
    const done = results.find(({ ok }) => ok);
    if (done?.ok) expect(done.value.instructionIds).toHaveLength(4);
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'sweep'");
    await world.settle();
    expect((await houseHolds()) - before).toBe(400n);
    for (const gameId of games) {
      const [escrow] = await world.query<{ address: `0x${string}` }>(
        "SELECT address FROM wallet WHERE game_id = $1",
        [gameId],
      );
      expect(await world.held(usdc(), escrow?.address ?? "0x")).toBe(0n);
    }
    const { items } = value(await readAuditPage(world.context, { limit: 100 }));
    expect(items.filter(({ action }) => action === "sweep")).toHaveLength(1);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("takes nothing of a game whose payout is parked, before that is paid (SAFETY 40)", async () => {
    const winningsTo = (where: string) =>
      world.query("UPDATE player SET winnings_to = $2 WHERE id = $1", [red.id, where]);
    await winningsTo("wallet");
    await actAsIssuer(world, { functionName: "blacklist", args: [red.address] });
    await world.base.mine(1);
    const gameId = await play();
    await world.settle();
    const [parked] = await world.query<{ id: string }>(
      "SELECT id FROM instruction WHERE game_id = $1 AND state = 'parked'",
      [gameId],
    );
    expect(await whyOf(gameId)).toBe("A transfer of this game isn't final on the chain.");
    expect((await plan()).lines).toEqual([]);
    expect(codeOf(await move(100n))).toBe("nothing_to_sweep");

    await actAsIssuer(world, { functionName: "unBlacklist", args: [red.address] });
    await world.base.mine(1);
    value(await retryInstruction(world.context, { by, instructionId: parked?.id ?? "", reason: "unlisted" }));
    await world.settle();
    await winningsTo("pool");
    const free = await plan();
    expect(free).toMatchObject({ total: { amount: "100" }, heldBack: [] });
    expect(free.lines).toMatchObject([{ gameId }]);
    expect(codeOf(await move(100n))).toBe("ok");
  });

  it("leaves a frozen wallet alone, and nothing leaves while outflows are stopped", async () => {
    const gameId = await play();
    await world.settle();
    await world.query("UPDATE wallet SET frozen_reason = 'a stray transfer' WHERE game_id = $1", [gameId]);
    expect(await whyOf(gameId)).toContain("a stray transfer");
    await world.query("UPDATE wallet SET frozen_reason = NULL WHERE game_id = $1", [gameId]);
    expect((await plan()).total.amount).toBe("100");
    value(await setSwitch(world.context, { by, name: "outflows", on: false, reason: "a look" }));
    expect(await whyOf(gameId)).toBe("Outflows are stopped.");
    expect(codeOf(await move(100n))).toBe("outflows_stopped");
    value(await setSwitch(world.context, { by, name: "outflows", on: true, reason: "looked" }));
    expect(codeOf(await move(100n))).toBe("ok");
  });

  it("of a token that isn't listed is refused", async () => {
    const token = `0x${"12".repeat(20)}`;
    expect(codeOf(await sweep(world.context, { by, token, dryRun: true }))).toBe("token_unknown");
  });
});

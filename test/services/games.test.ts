import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { receipt } from "../../engine/contract/wager.ts";
import { recomputeSettlement } from "../../engine/core/settlement.ts";
import * as games from "../../engine/services/games.ts";
import * as proposals from "../../engine/services/proposals.ts";
import {
  codeOf,
  createWorld,
  dollars,
  keyFor,
  offerBy,
  report,
  settings,
  startGame,
  usdc,
  value,
  type World,
} from "./wager-world.ts";

let world: World;
let red: string;
let blue: string;
let operators: string[];
let serial = 0;
/** Two new players with 100.00 each. */
const newPair = async () => {
  serial += 1;
  red = await world.addPlayer(`red_${serial}`);
  blue = await world.addPlayer(`blue_${serial}`);
};
const giveWallet = (playerId: string, address: string) =>
  world.rows("INSERT INTO player_wallet (address, player_id, is_primary) VALUES ($1, $2, true)", [
    address,
    playerId,
  ]);
/** A dispute over 50.00 to 10.00: each says that they won. */
const dispute = async (more: Partial<proposals.NewOffer> = {}) => {
  const gameId = await startGame(world, { red, blue, ...more });
  value(await report(world.context, red, gameId, "red"));
  value(await report(world.context, blue, gameId, "blue"));
  return gameId;
};
const decideAsOperator = (gameId: string, outcome: "red" | "blue" | "draw", by = operators[0] ?? "") =>
  games.decideAsOperator(world.context, { by, gameId, outcome, reason: "Seen on the recording." });
const instructionsOf = (gameId: string) =>
  world.rows(
    "SELECT kind, state, amount, destination, not_before, not_before_block FROM instruction WHERE game_id = $1 AND kind <> 'fund' ORDER BY id",
    [gameId],
  );

beforeAll(async () => {
  world = await createWorld();
  operators = [await world.addPlayer("operator_a", {}), await world.addPlayer("operator_b", {})];
  for (const [index, address] of [...settings.operatorAddresses].entries()) {
    await giveWallet(operators[index] ?? "", address);
  }
});
afterEach(() => world.expectBooksToBalance());
afterAll(() => world.end());

describe("two equal reports", () => {
  test("pay the winner the pot less the cut at once, and leave nothing to undo", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue });
    expect(value(await report(world.context, red, gameId, "blue"))).toMatchObject({
      state: "reported",
      red: { report: "blue" },
      blue: { report: null },
      deadline: { consequence: "settle_as_reported" },
    });
    const game = value(await report(world.context, blue, gameId, "blue"));
    expect(game).toMatchObject({
      state: "settled",
      outcome: "blue",
      deadline: null,
      decision: null,
      payouts: [{ player: { id: blue }, money: { amount: "57000000" }, to: "pool", state: "final" }],
    });
    expect(await world.poolOf(red)).toEqual({ available: dollars(50), held: 0n });
    expect(await world.poolOf(blue)).toEqual({ available: dollars(147), held: 0n });
    expect(
      codeOf(await games.undo(world.context, { by: operators[0] ?? "", gameId, reason: "Why not." })),
    ).toBe("undo_window_closed");
    expect(codeOf(await report(world.context, red, gameId, "red"))).toBe("game_not_open");
  });

  test.each(["draw", "no_contest"] as const)(
    "of %s give both stakes back and cost nothing",
    async (outcome) => {
      await newPair();
      const gameId = await startGame(world, { red, blue });
      value(await report(world.context, red, gameId, outcome));
      value(await report(world.context, blue, gameId, outcome));
      expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
      expect(await world.poolOf(blue)).toEqual({ available: dollars(100), held: 0n });
    },
  );

  test("leave a receipt from which anybody computes the same sums", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue });
    expect(codeOf(await games.readReceipt(world.context, gameId))).toBe("not_found");
    value(await report(world.context, red, gameId, "red"));
    value(await report(world.context, blue, gameId, "red"));
    const found = receipt.parse(value(await games.readReceipt(world.context, gameId)));
    const { inputs, outputs } = found;
    const stakes = { red: BigInt(inputs.red.stake), blue: BigInt(inputs.blue.stake) };
    const again = recomputeSettlement({
      ruleVersion: 1,
      inputs: { stakes, outcome: inputs.outcome, rakeBps: inputs.rakeBps },
    });
    expect(outputs).toEqual({
      red: again.payouts.red.toString(),
      blue: again.payouts.blue.toString(),
      rake: again.rake.toString(),
      dust: again.dust.toString(),
    });
    expect(found).toMatchObject({ decidedBy: "agreement", decidedByPlayer: null });
    expect(found.transfers.map(({ reason, amount }) => [reason, amount])).toEqual([
      ["capture", "50000000"],
      ["capture", "10000000"],
      ["win", "57000000"],
      ["rake", "3000000"],
    ]);
  });
});

describe("winnings", () => {
  test("go to the wallet that is the winner's at the settlement, not at the start", async () => {
    await newPair();
    const gameId = await startGame(world, { red, blue });
    const wallet = `0x${"c".repeat(39)}${serial % 10}`;
    await giveWallet(blue, wallet);
    await world.rows("UPDATE player SET winnings_to = 'wallet' WHERE id = $1", [blue]);
    value(await report(world.context, red, gameId, "blue"));
    const game = value(await report(world.context, blue, gameId, "blue"));
    expect(game.payouts).toMatchObject([
      { player: { id: blue }, to: "wallet", address: wallet, state: "waiting" },
    ]);
    expect(await instructionsOf(gameId)).toMatchObject([
      { kind: "payout", amount: "57000000", destination: wallet, not_before_block: "0" },
    ]);
    expect(await world.poolOf(blue)).toEqual({ available: dollars(90), held: 0n });
  });

  test("that rest on money that isn't final can be played with, and don't leave before it is", async () => {
    await newPair();
    await world.rows(
      `INSERT INTO chain_cursor (chain_id, head_number, head_hash, head_stamped_at, safe_number, finalized_number)
       VALUES (8453, 120, '0x' || repeat('a', 64), now(), 110, 100)`,
    );
    await world.deposit(red, { amount: dollars(20), untilBlock: 115n });
    await world.deposit(blue, { amount: dollars(20), untilBlock: 90n });
    const toPool = await startGame(world, { red, blue });
    const [cover] = await world.rows("SELECT covered_at_block FROM game WHERE id = $1", [toPool]);
    expect(cover).toEqual({ covered_at_block: "115" });
    for (const by of [red, blue]) value(await report(world.context, by, toPool, "blue"));
    expect(
      await world.rows(
        "SELECT amount, until_block FROM exposure WHERE player_id = $1 AND until_block > 100",
        [blue],
      ),
    ).toEqual([{ amount: "47000000", until_block: "115" }]);

    await giveWallet(blue, `0x${"d".repeat(39)}${serial % 10}`);
    await world.rows("UPDATE player SET winnings_to = 'wallet' WHERE id = $1", [blue]);
    const toWallet = await startGame(world, { red, blue });
    for (const by of [red, blue]) value(await report(world.context, by, toWallet, "blue"));
    expect(await instructionsOf(toWallet)).toMatchObject([{ kind: "payout", not_before_block: "115" }]);

    // Once everything is final, nothing waits.
    await world.rows("UPDATE chain_cursor SET finalized_number = 115, safe_number = 116");
    const covered = await startGame(world, { red: blue, blue: red, proposerStake: 1n, takerStake: 1n });
    expect(await world.rows("SELECT covered_at_block FROM game WHERE id = $1", [covered])).toEqual([
      { covered_at_block: "0" },
    ]);
  });
});

describe("a dispute", () => {
  test("keeps the money locked, takes evidence from both, and ends by the referee's word in writing", async () => {
    await newPair();
    const referee = await world.addPlayer(`judge_${serial}`, {});
    const gameId = await dispute({ referee: `judge_${serial}` });
    expect(value(await games.readGame(world.context, gameId))).toMatchObject({
      state: "disputed",
      referee: { id: referee },
      deadline: { consequence: "refund" },
    });
    const url = "https://clips.example/1";
    value(await games.addEvidence(world.context, { by: red, gameId, text: "Look at 0:40.", url }));
    value(await games.addEvidence(world.context, { by: blue, gameId, text: "Not so." }));
    expect(codeOf(await games.addEvidence(world.context, { by: referee, gameId, text: "Hm." }))).toBe(
      "not_allowed",
    );
    const verdict = { by: referee, gameId, outcome: "red", reason: "The clip shows it." } as const;
    expect(codeOf(await games.decide(world.context, { ...verdict, by: red, idempotency: keyFor(red) }))).toBe(
      "not_allowed",
    );
    expect(
      codeOf(await games.decide(world.context, { ...verdict, reason: " ", idempotency: keyFor(referee) })),
    ).toBe("reason_missing");
    expect(codeOf(await decideAsOperator(gameId, "red"))).toBe("not_allowed");
    const game = value(await games.decide(world.context, { ...verdict, idempotency: keyFor(referee) }));
    expect(game).toMatchObject({
      state: "settled",
      outcome: "red",
      decision: { by: `judge_${serial}`, reason: "The clip shows it." },
      evidence: [
        { player: { id: red }, text: "Look at 0:40.", url },
        { player: { id: blue }, text: "Not so.", url: null },
      ],
    });
    expect(Date.parse(game.undoUntil ?? "")).toBe(world.time.nowMs + 60_000);
    const [owed] = await instructionsOf(gameId);
    expect(owed).toMatchObject({
      kind: "settle",
      state: "queued",
      not_before: new Date(world.time.nowMs + 60_000),
    });
    expect(value(await games.readReceipt(world.context, gameId))).toMatchObject({
      decidedBy: "referee",
      decidedByPlayer: { id: referee },
      reason: "The clip shows it.",
    });
    expect(
      await world.rows("SELECT actor, action FROM audit WHERE subject = $1", [`game:${gameId}`]),
    ).toEqual([{ actor: `judge_${serial} (player ${referee})`, action: "decide" }]);
  });

  test("ends when one side concedes", async () => {
    await newPair();
    const gameId = await dispute();
    expect(value(await report(world.context, red, gameId, "blue"))).toMatchObject({
      state: "settled",
      outcome: "blue",
    });
  });

  test("isn't decided by a stranger, a player, or an operator who plays in it", async () => {
    await newPair();
    const stranger = await world.addPlayer(`stranger_${serial}`);
    const gameId = await dispute();
    for (const by of [stranger, red, blue]) {
      expect(codeOf(await decideAsOperator(gameId, "red", by))).toBe("not_allowed");
      expect(codeOf(await games.undo(world.context, { by, gameId, reason: "So." }))).toBe("not_allowed");
      const decide = { by, gameId, outcome: "red", reason: "So.", idempotency: keyFor(by) } as const;
      expect(codeOf(await games.decide(world.context, decide))).toBe("not_allowed");
    }
    expect(codeOf(await report(world.context, stranger, gameId, "red"))).toBe("not_allowed");
    const [operator = ""] = operators;
    await world.deposit(operator, { amount: dollars(50) });
    const own = await startGame(world, { red: operator, blue });
    value(await report(world.context, operator, own, "red"));
    value(await report(world.context, blue, own, "blue"));
    expect(codeOf(await decideAsOperator(own, "red", operator))).toBe("money_in_it");
    value(await decideAsOperator(own, "blue", operators[1]));
    value(await decideAsOperator(gameId, "draw"));
  });

  test("over more than the limit takes two operators who say the same", async () => {
    await newPair();
    for (const by of [red, blue]) await world.deposit(by, { amount: dollars(1_000) });
    const gameId = await dispute({ proposerStake: dollars(900), takerStake: dollars(101) });
    expect(codeOf(await decideAsOperator(gameId, "red"))).toBe("second_approval_needed");
    expect(codeOf(await decideAsOperator(gameId, "red"))).toBe("second_approval_needed");
    expect(codeOf(await decideAsOperator(gameId, "blue", operators[1]))).toBe("second_approval_needed");
    expect(value(await games.readGame(world.context, gameId)).state).toBe("disputed");
    expect(value(await decideAsOperator(gameId, "red", operators[1])).state).toBe("settled");
  });

  test("that isn't one can't be decided, and no approval is noted for it", async () => {
    await newPair();
    for (const by of [red, blue]) await world.deposit(by, { amount: dollars(1_000) });
    const gameId = await startGame(world, {
      red,
      blue,
      proposerStake: dollars(900),
      takerStake: dollars(900),
    });
    expect(codeOf(await decideAsOperator(gameId, "red"))).toBe("game_not_disputed");
    expect(await world.rows("SELECT * FROM approval WHERE subject LIKE $1", [`%${gameId}%`])).toEqual([]);
  });
});

describe("undoing", () => {
  const undo = (gameId: string, by = operators[1] ?? "") =>
    games.undo(world.context, { by, gameId, reason: "The wrong clip." });

  test("takes every unit back, calls the chain transfer off, and the next decision pays anew", async () => {
    await newPair();
    const gameId = await dispute();
    value(await decideAsOperator(gameId, "red"));
    const undone = value(await undo(gameId));
    expect(undone).toMatchObject({
      state: "disputed",
      outcome: null,
      decision: null,
      payouts: [],
      undoUntil: null,
    });
    expect(await world.poolOf(red)).toEqual({ available: dollars(50), held: 0n });
    expect(await instructionsOf(gameId)).toMatchObject([{ kind: "settle", state: "cancelled", amount: "0" }]);
    await world.expectBooksToBalance();
    value(await decideAsOperator(gameId, "blue"));
    expect(await world.poolOf(blue)).toEqual({ available: dollars(147), held: 0n });
    expect(await instructionsOf(gameId)).toMatchObject([
      { state: "cancelled" },
      { kind: "settle", state: "queued", amount: "57000000" },
    ]);
    expect(
      await world.rows(
        "SELECT outcome, undone_at IS NULL AS stands FROM settlement WHERE game_id = $1 ORDER BY id",
        [gameId],
      ),
    ).toEqual([
      { outcome: "red", stands: false },
      { outcome: "blue", stands: true },
    ]);
  });

  test("calls a payout to a wallet off, and what it exposed is gone", async () => {
    await newPair();
    await world.rows("UPDATE chain_cursor SET head_number = 900, safe_number = 116, finalized_number = 115");
    await world.deposit(red, { amount: 1n, untilBlock: 800n });
    const toPool = await dispute();
    value(await decideAsOperator(toPool, "blue"));
    const exposed = () =>
      world.rows("SELECT amount FROM exposure WHERE business_key LIKE 'game:%' AND player_id = $1", [blue]);
    expect(await exposed()).toEqual([{ amount: "47000000" }]);
    value(await undo(toPool));
    expect(await exposed()).toEqual([]);

    await giveWallet(blue, `0x${"e".repeat(39)}${serial % 10}`);
    await world.rows("UPDATE player SET winnings_to = 'wallet' WHERE id = $1", [blue]);
    value(await decideAsOperator(toPool, "blue"));
    expect((await instructionsOf(toPool)).at(-1)).toMatchObject({
      kind: "payout",
      state: "queued",
      not_before_block: "800",
    });
    // Whatever the winner chooses meanwhile, it is taken from where it went.
    await world.rows("UPDATE player SET winnings_to = 'pool' WHERE id = $1", [blue]);
    value(await undo(toPool));
    expect((await instructionsOf(toPool)).at(-1)).toMatchObject({ kind: "payout", state: "cancelled" });
    expect(await world.poolOf(blue)).toEqual({ available: dollars(90), held: 0n });
    value(await report(world.context, red, toPool, "blue"));
  });

  test("is too late when the window is over, on the millisecond", async () => {
    const startMs = world.time.nowMs;
    for (const [offsetMs, code] of [
      [-1, "ok"],
      [0, "undo_window_closed"],
      [1, "undo_window_closed"],
    ] as const) {
      await newPair();
      const gameId = await dispute();
      value(await decideAsOperator(gameId, "red"));
      world.time.nowMs = startMs + 60_000 + offsetMs;
      expect(codeOf(await undo(gameId))).toBe(code);
      world.time.nowMs = startMs;
      if (code === "ok") value(await decideAsOperator(gameId, "red"));
    }
  });

  test("is refused, and changes nothing, when the chain transfer is on its way", async () => {
    await newPair();
    const gameId = await dispute();
    value(await decideAsOperator(gameId, "red"));
    await world.rows("UPDATE instruction SET state = 'sending' WHERE game_id = $1 AND kind = 'settle'", [
      gameId,
    ]);
    expect(codeOf(await undo(gameId))).toBe("undo_window_closed");
    expect(value(await games.readGame(world.context, gameId)).state).toBe("settled");
    expect(await world.poolOf(red)).toEqual({ available: dollars(107), held: 0n });
    // It was said to be on its way by hand; nothing was signed.
    await world.rows("UPDATE instruction SET state = 'queued' WHERE game_id = $1 AND kind = 'settle'", [
      gameId,
    ]);
  });

  test("is refused when the winner has used the money since", async () => {
    await newPair();
    const gameId = await dispute();
    value(await decideAsOperator(gameId, "red"));
    value(await proposals.propose(world.context, offerBy(red, { proposerStake: dollars(60) })));
    expect(await undo(gameId)).toMatchObject({
      rejection: { code: "insufficient_funds", message: expect.stringContaining("can't be taken back") },
    });
    expect(value(await games.readGame(world.context, gameId)).state).toBe("settled");
  });

  test("happens at most twice for a game", async () => {
    await newPair();
    const gameId = await dispute();
    for (let round = 0; round < 2; round += 1) {
      value(await decideAsOperator(gameId, "red"));
      value(await undo(gameId));
    }
    value(await decideAsOperator(gameId, "red"));
    expect(codeOf(await undo(gameId))).toBe("undo_window_closed");
  });
});

describe("reading", () => {
  test("a game's parts, and a player's games page by page", async () => {
    await newPair();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      ids.push(await startGame(world, { red, blue, proposerStake: 5_000n, takerStake: 1_000n }));
    }
    const [gameId = ""] = ids;
    expect(value(await games.readGamePool(world.context, gameId))).toMatchObject({
      odds: "5–1",
      pot: { amount: "6000" },
    });
    expect(value(await games.readGameWallet(world.context, gameId))).toMatchObject({
      escrow: { funded: "waiting", txHash: null },
      pot: { amount: "6000" },
    });
    expect(value(await games.readPayouts(world.context, gameId)).items).toEqual([]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = value(await games.listGames(world.context, { by: blue, cursor, limit: 2 }));
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(5);
    expect([...seen].sort()).toEqual([...ids].sort());
    for (const id of ["00000000-0000-4000-8000-000000000000", "-".repeat(36), "x"]) {
      expect(codeOf(await games.readGame(world.context, id))).toBe("not_found");
    }
  });

  test("open disputes lists them, the most urgent first", async () => {
    await newPair();
    const first = await dispute();
    world.time.nowMs += 1_000;
    const second = await dispute({ token: usdc, proposerStake: 1n, takerStake: 1n });
    const { items } = await games.listDisputes(world.context);
    const mine = items.filter(({ game }) => [first, second].includes(game.id));
    expect(mine.map(({ game }) => game.id)).toEqual([first, second]);
    expect(mine[1]?.openedAt).toBe(new Date(world.time.nowMs).toISOString());
  });
});

/** What two people, two processes or two retries do at the same moment. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Proposal } from "../../engine/contract/wager.ts";
import type { Context } from "../../engine/services/context.ts";
import { runDueDeadlines } from "../../engine/services/deadlines.ts";
import * as games from "../../engine/services/games.ts";
import * as proposals from "../../engine/services/proposals.ts";
import {
  codeOf,
  createWorld,
  dollars,
  keyFor,
  offerBy,
  openwork,
  report,
  startGame,
  usdc,
  value,
  type World,
} from "./wager-world.ts";

// Thousands of transactions, on whatever machine.
let world: World;
let serial = 0;
const newPlayer = (money?: Partial<Record<string, bigint>>) => {
  serial += 1;
  return world.addPlayer(`racer_${serial}`, money);
};
const answer = (by: string, proposalId: string) => ({ by, idempotency: keyFor(by), proposalId });
/** The two processes in turn. */
const processOf = (index: number): Context => (index % 2 === 0 ? world.context : world.other);

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.expectBooksToBalance());
afterAll(() => world.end());

/** Stands for the worker, which answers nobody. */
const byClock = { ok: false, rejection: { code: "x" } } as const;

describe("holding", () => {
  test("80 two hundred times on 100, from two processes, succeeds once", async () => {
    const red = await newPlayer();
    const tries = Array.from({ length: 200 }, (_, index) =>
      proposals.propose(processOf(index), offerBy(red, { proposerStake: dollars(80) })),
    );
    const codes = (await Promise.all(tries)).map(codeOf);
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(codes.filter((code) => code === "insufficient_funds")).toHaveLength(199);
    expect(await world.poolOf(red)).toEqual({ available: dollars(20), held: dollars(80) });
  });

  test("A's offers to B and B's to A, taken crosswise in a thousand transactions, never surface a deadlock (SAFETY 14)", async () => {
    const money = { [usdc]: 1_000_000n, [openwork]: 1_000_000n };
    const pair = [await newPlayer(money), await newPlayer(money)] as const;
    const round = async (index: number) => {
      const [from, to] = index % 2 === 0 ? pair : ([pair[1], pair[0]] as const);
      const token = index % 3 === 0 ? openwork : usdc;
      const offer = offerBy(from, { token, proposerStake: 3n, takerStake: 2n });
      const { id } = value(await proposals.propose(processOf(index), offer));
      const taken = value(await proposals.accept(processOf(index + 1), answer(to, id)));
      const settled = await Promise.all(
        pair.map((by, side) => report(processOf(side), by, taken.gameId, "red")),
      );
      return settled.map(codeOf);
    };
    for (let batch = 0; batch < 13; batch += 1) {
      const codes = await Promise.all(Array.from({ length: 20 }, (_, index) => round(batch * 20 + index)));
      expect(new Set(codes.flat())).toEqual(new Set(["ok"]));
    }
    expect(await world.rows("SELECT state, count(*)::int FROM game GROUP BY state")).toEqual([
      { state: "settled", count: 260 },
    ]);
  });
});

describe("one offer", () => {
  test("taken, countered, passed on and lapsing at once, ends in one way and holds nothing more than that says (SAFETY 15)", async () => {
    const startMs = world.time.nowMs;
    const ends = new Map<string, number>();
    for (let round = 0; round < 100; round += 1) {
      const [red, blue] = [await newPlayer(), await newPlayer()];
      const opponent = { handle: `racer_${serial}` };
      const offer = value(
        await proposals.propose(world.context, offerBy(red, { opponent, lapseSeconds: 60 })),
      );
      // A clock that runs out while they race: each sees it on one side or the other.
      let asked = 0;
      const lapseAt = round % 7;
      const racing = (context: Context): Context => ({
        ...context,
        clock: () => {
          asked += 1;
          return startMs + (asked > lapseAt ? 60_000 : 0);
        },
      });
      const counter = {
        proposerStake: dollars(5),
        takerStake: dollars(5),
        terms: "Again.",
        lapseSeconds: 600,
      };
      const racers = [
        () => proposals.accept(racing(world.context), answer(blue, offer.id)),
        () => proposals.counter(racing(world.other), { ...answer(blue, offer.id), ...counter }),
        () => proposals.decline(racing(world.context), answer(blue, offer.id)),
        () => runDueDeadlines(racing(world.other), { limit: 10 }).then(() => byClock),
      ];
      const shuffled = racers.slice(round % 4).concat(racers.slice(0, round % 4));
      const codes = (await Promise.all(shuffled.map((racer) => racer()))).map(codeOf);
      const { state } = value(await proposals.readProposal(world.context, offer.id));
      expect(codes.filter((code) => code === "ok").length).toBe(
        state === "expired" || state === "pending" ? 0 : 1,
      );
      expect(
        codes.every((code) => ["ok", "x", "proposal_not_pending", "proposal_expired"].includes(code)),
      ).toBe(true);
      ends.set(state, (ends.get(state) ?? 0) + 1);
    }
    // The race is a race: no one of them wins it always.
    expect(ends.size).toBeGreaterThan(2);
    expect(await world.rows("SELECT proposal_id FROM game GROUP BY proposal_id HAVING count(*) > 1")).toEqual(
      [],
    );
    world.time.nowMs = startMs;
  });

  test("that is open, taken by twenty at once, is taken by one", async () => {
    const red = await newPlayer();
    const takers = await Promise.all(Array.from({ length: 20 }, () => newPlayer()));
    const offer = value(await proposals.propose(world.context, offerBy(red)));
    const codes = (
      await Promise.all(takers.map((by, index) => proposals.accept(processOf(index), answer(by, offer.id))))
    ).map(codeOf);
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(codes.filter((code) => code === "proposal_not_pending")).toHaveLength(19);
  });

  test("and the counter to it, taken at once, don't both use the same hold", async () => {
    for (let round = 0; round < 20; round += 1) {
      const [red, blue, third] = [await newPlayer(), await newPlayer(), await newPlayer()];
      const offer = value(await proposals.propose(world.context, offerBy(red)));
      const counter = {
        proposerStake: dollars(5),
        takerStake: dollars(60),
        terms: "Again.",
        lapseSeconds: 600,
      };
      const { id } = value(await proposals.counter(world.context, { ...answer(blue, offer.id), ...counter }));
      const codes = (
        await Promise.all([
          proposals.accept(world.context, answer(red, id)),
          proposals.accept(world.other, answer(third, offer.id)),
        ])
      ).map(codeOf);
      // 50 of 100 are held by the open offer: taking the counter for 60 needs them back.
      expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    }
  });
});

describe("many games at once", () => {
  test("get a wallet each, though none was ready", async () => {
    const red = await newPlayer({ [usdc]: 1_000n });
    const offers: Proposal[] = [];
    for (let index = 0; index < 100; index += 1) {
      offers.push(
        value(await proposals.propose(world.context, offerBy(red, { proposerStake: 1n, takerStake: 1n }))),
      );
    }
    const blue = await newPlayer({ [usdc]: 1_000n });
    const taken = await Promise.all(
      offers.map(({ id }, index) => proposals.accept(processOf(index), answer(blue, id))),
    );
    const gameIds = taken.map((result) => value(result).gameId);
    const wallets = await world.rows("SELECT DISTINCT address FROM wallet WHERE game_id = ANY ($1)", [
      gameIds,
    ]);
    expect(wallets).toHaveLength(100);
  });
});

describe("one key", () => {
  test("fifty times at once has one effect and one answer, on two processes (SAFETY 16)", async () => {
    const red = await newPlayer();
    const offer = offerBy(red, { idempotency: keyFor(red) });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => proposals.propose(processOf(index), offer)),
    );
    for (const each of answers) expect(each).toEqual(answers[0]);
    expect(await world.rows("SELECT id FROM proposal WHERE proposer_id = $1", [red])).toHaveLength(1);
    expect(await world.poolOf(red)).toEqual({ available: dollars(50), held: dollars(50) });

    const blue = await newPlayer();
    const taking = answer(blue, value(answers[0] as (typeof answers)[number]).id);
    const taken = await Promise.all(
      Array.from({ length: 50 }, (_, index) => proposals.accept(processOf(index), taking)),
    );
    for (const each of taken) expect(each).toEqual(taken[0]);
    expect(await world.poolOf(blue)).toEqual({ available: dollars(90), held: 0n });
  });

  test("for another request is refused, and another player's same key is another key", async () => {
    const [red, blue] = [await newPlayer(), await newPlayer()];
    const key = "the-same-key-for-both";
    const first = value(
      await proposals.propose(world.context, offerBy(red, { idempotency: keyFor(red, key) })),
    );
    const other = offerBy(red, { idempotency: keyFor(red, key, "another request") });
    expect(codeOf(await proposals.propose(world.context, other))).toBe("idempotency_key_reused");
    const theirs = value(
      await proposals.propose(world.context, offerBy(blue, { idempotency: keyFor(blue, key) })),
    );
    expect(theirs.id).not.toBe(first.id);
  });

  test("whose request was refused may be used again once it can be done", async () => {
    const red = await newPlayer({});
    const offer = offerBy(red);
    expect(codeOf(await proposals.propose(world.context, offer))).toBe("insufficient_funds");
    await world.deposit(red, { amount: dollars(50) });
    value(await proposals.propose(world.context, offer));
  });
});

describe("one game", () => {
  test("reported, decided twice and run out of time at once is settled once (SAFETY 15)", async () => {
    const startMs = world.time.nowMs;
    const referee = await newPlayer({});
    const refereeHandle = `racer_${serial}`;
    for (let round = 0; round < 30; round += 1) {
      const [red, blue] = [await newPlayer(), await newPlayer()];
      const gameId = await startGame(world, { red, blue, referee: refereeHandle });
      value(await report(world.context, red, gameId, "red"));
      const disputed = value(await report(world.context, blue, gameId, "blue"));
      const dueMs = Date.parse(disputed.deadline?.at ?? "");
      const racing = (context: Context, atMs: number): Context => ({ ...context, clock: () => atMs });
      const decide = (context: Context, outcome: "red" | "blue") =>
        games.decide(context, {
          by: referee,
          idempotency: keyFor(referee),
          gameId,
          outcome,
          reason: "Seen.",
        });
      const results = await Promise.all([
        decide(racing(world.context, dueMs - 1), "red"),
        decide(racing(world.other, dueMs - 1), "blue"),
        report(racing(world.context, dueMs - 1), red, gameId, "blue"),
        runDueDeadlines(racing(world.other, dueMs), { limit: 10 }).then(() => byClock),
      ]);
      const codes = results.map(codeOf);
      const settlements = await world.rows("SELECT decided_by FROM settlement WHERE game_id = $1", [gameId]);
      expect(settlements).toHaveLength(1);
      const byPeople = settlements[0]?.decided_by === "dispute_clock" ? 0 : 1;
      expect(codes.filter((code) => code === "ok")).toHaveLength(byPeople);
      expect(codes.every((code) => ["ok", "x", "game_not_open", "game_not_disputed"].includes(code))).toBe(
        true,
      );
    }
    world.time.nowMs = startMs;
  });

  test("on which both report the same at the same moment is settled once", async () => {
    for (let round = 0; round < 20; round += 1) {
      const [red, blue] = [await newPlayer(), await newPlayer()];
      const gameId = await startGame(world, { red, blue });
      await Promise.all([
        report(world.context, red, gameId, "blue"),
        report(world.other, blue, gameId, "blue"),
      ]);
      expect(await world.poolOf(blue)).toEqual({ available: dollars(147), held: 0n });
    }
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { proposeBody } from "../../engine/contract/wager.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { takeNextEvents } from "../helpers/events.ts";
import {
  codeOf,
  createWorld,
  dollars,
  keyFor,
  offerBy,
  openwork,
  usdc,
  value,
  type World,
} from "./wager-world.ts";

let world: World;
let red: string;
let blue: string;
let serial = 0;
/** Two new players with 100.00 each. */
const newPair = async () => {
  serial += 1;
  red = await world.addPlayer(`red_${serial}`);
  blue = await world.addPlayer(`blue_${serial}`);
};
const propose = (more: Partial<proposals.NewOffer> = {}) =>
  proposals.propose(world.context, offerBy(red, more));
const toBlue = () => ({ opponent: { handle: `BLUE_${serial}` } });
const answer = (by: string, proposalId: string) => ({ by, idempotency: keyFor(by), proposalId });
const terms = {
  proposerStake: dollars(20),
  takerStake: dollars(20),
  terms: "First to 11.",
  lapseSeconds: 600,
};
const events = async (name: string) =>
  world.rows("SELECT rooms, data FROM outbox WHERE name = $1 ORDER BY id DESC", [name]);

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.expectBooksToBalance());
afterAll(() => world.end());

describe("an offer", () => {
  test("holds the proposer's stake and shows what each side would get", async () => {
    await newPair();
    const offer = value(await propose(toBlue()));
    expect(offer).toMatchObject({
      state: "pending",
      proposer: { id: red },
      taker: { id: blue, handle: `blue_${serial}` },
      pot: { amount: "60000000", symbol: "USDC", decimals: 6 },
      proposerWinGets: { amount: "57000000" },
      takerWinGets: { amount: "57000000" },
      terms: "First to 21.",
      gameId: null,
    });
    expect(await world.poolOf(red)).toEqual({ available: dollars(50), held: dollars(50) });
    expect(value(await proposals.readProposal(world.context, offer.id))).toEqual(offer);
  });

  test("is told to both players and their live rooms, and to the arena only when anybody may take it", async () => {
    await newPair();
    await propose(toBlue());
    const rooms = [`player:${red}`, `player:${blue}`, `live:${red}`, `live:${blue}`];
    expect((await events("proposal:update"))[0]?.rooms).toEqual(rooms);
    await propose();
    expect((await events("proposal:update"))[0]?.rooms).toEqual([`player:${red}`, `live:${red}`, "arena"]);
  });

  test("tells its proposer the new numbers, once for two changes that are sent together", async () => {
    await newPair();
    await takeNextEvents(world.context, 1_000);
    await propose();
    await propose(toBlue());
    const told = (await takeNextEvents(world.context, 1_000)).filter(({ name }) => name === "pool:balance");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      room: `player:${red}`,
      // After the two offers.
      sequence: 3,
      data: {
        balance: { free: { amount: "0" }, locked: { amount: "100000000" }, onItsWay: { amount: "0" } },
      },
    });
  });

  test("can name a wallet instead of a handle", async () => {
    await newPair();
    const address = `0x${String(serial).padStart(40, "0")}`;
    await world.rows("INSERT INTO player_wallet (address, player_id, is_primary) VALUES ($1, $2, true)", [
      address,
      blue,
    ]);
    expect(value(await propose({ opponent: { address } })).taker?.id).toBe(blue);
  });

  test("says how much is short, and holds nothing", async () => {
    await newPair();
    const refusal = await propose({ proposerStake: dollars(132) });
    expect(refusal).toMatchObject({
      ok: false,
      rejection: {
        code: "insufficient_funds",
        field: "proposerStake",
        message: "You have 100.00 USDC free. 32.00 short.",
        facts: { free: "100000000", short: "32000000" },
      },
    });
    expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
  });

  test("to a name that nobody has suggests the nearest one", async () => {
    await newPair();
    await world.addPlayer("marcus", {});
    expect(await propose({ opponent: { handle: "marcsu" } })).toMatchObject({
      rejection: { code: "player_unknown", field: "opponent", facts: { suggestion: "marcus" } },
    });
    expect(codeOf(await propose({ referee: "nobody_at_all" }))).toBe("player_unknown");
  });

  test("to oneself, with a player as referee, or for a token off the list is refused", async () => {
    await newPair();
    expect(codeOf(await propose({ opponent: { handle: `red_${serial}` } }))).toBe("opponent_is_self");
    expect(codeOf(await propose({ ...toBlue(), referee: `blue_${serial}` }))).toBe("referee_is_player");
    const token = "0x2222222222222222222222222222222222222222";
    expect(codeOf(await propose({ token }))).toBe("token_unknown");
  });

  test("can't be made while offers are switched off, and an old one can still be called off", async () => {
    await newPair();
    const open = value(await propose(toBlue()));
    await world.rows("UPDATE switch SET is_on = false WHERE name = 'proposals'");
    try {
      expect(codeOf(await propose())).toBe("switched_off");
      expect(codeOf(await proposals.accept(world.context, answer(blue, open.id)))).toBe("switched_off");
      expect(codeOf(await proposals.counter(world.context, { ...answer(blue, open.id), ...terms }))).toBe(
        "switched_off",
      );
      value(await proposals.cancel(world.context, answer(red, open.id)));
    } finally {
      await world.rows("UPDATE switch SET is_on = true WHERE name = 'proposals'");
    }
    expect((await world.poolOf(red)).held).toBe(0n);
  });

  test("beyond the limit of open ones is refused, also when many come at once", async () => {
    await newPair();
    // All but ten of them by hand; one offer holds for them all.
    const almost = proposals.mostPendingOffers - 10;
    value(await propose({ proposerStake: BigInt(almost) }));
    await world.rows(
      `INSERT INTO proposal (root_id, proposer_id, token, proposer_stake, taker_stake, terms, expected_minutes, rake_bps, expires_at)
       SELECT gen_random_uuid(), $1, $2, 1, 1, 'x', 60, 500, now() + interval '1 day' FROM generate_series(1, $3)`,
      [red, usdc, almost - 1],
    );
    const tries = Array.from({ length: 30 }, () => propose({ proposerStake: 1n }));
    const codes = (await Promise.all(tries)).map(codeOf);
    expect(codes.filter((code) => code === "ok")).toHaveLength(10);
    expect(codes.filter((code) => code === "too_many_requests")).toHaveLength(20);
    // Nobody held money for those.
    await world.rows(
      "UPDATE proposal SET state = 'cancelled', decided_at = now() WHERE proposer_id = $1 AND terms = 'x'",
      [red],
    );
  });
});

describe("taking it", () => {
  test("moves both stakes into a wallet of the game's own by one instruction", async () => {
    await newPair();
    const offer = value(await propose());
    const { proposal, gameId } = value(await proposals.accept(world.context, answer(blue, offer.id)));
    expect(proposal).toMatchObject({ state: "accepted", taker: { id: blue }, gameId });
    expect(await world.poolOf(red)).toEqual({ available: dollars(50), held: 0n });
    expect(await world.poolOf(blue)).toEqual({ available: dollars(90), held: 0n });
    const owed = await world.rows(
      "SELECT kind, amount, cause, destination FROM instruction WHERE game_id = $1",
      [gameId],
    );
    const [wallet] = await world.rows("SELECT address FROM wallet WHERE game_id = $1", [gameId]);
    expect(owed).toEqual([
      { kind: "fund", amount: "60000000", cause: `game:${gameId}:fund`, destination: wallet?.address },
    ]);
    expect((await events("proposal:update"))[0]?.rooms).toContain("arena");
    expect((await events("game:update"))[0]?.rooms).toEqual(
      expect.arrayContaining([
        `player:${red}`,
        `player:${blue}`,
        `game:${gameId}`,
        `live:${red}`,
        `live:${blue}`,
        "arena",
      ]),
    );
  });

  test("without the money for it leaves the offer open", async () => {
    await newPair();
    const offer = value(await propose({ ...toBlue(), takerStake: dollars(500) }));
    expect(await proposals.accept(world.context, answer(blue, offer.id))).toMatchObject({
      rejection: { code: "insufficient_funds", field: "takerStake", facts: { short: "400000000" } },
    });
    expect(value(await proposals.readProposal(world.context, offer.id)).state).toBe("pending");
    expect(
      await world.rows(
        "SELECT * FROM wallet WHERE purpose = 'escrow' AND game_id IS NOT NULL AND game_id NOT IN (SELECT id FROM game)",
      ),
    ).toEqual([]);
  });

  test("isn't for a stranger, nor for the proposer", async () => {
    await newPair();
    const offer = value(await propose(toBlue()));
    const stranger = await world.addPlayer(`stranger_${serial}`);
    for (const by of [stranger, red]) {
      expect(codeOf(await proposals.accept(world.context, answer(by, offer.id)))).toBe("not_allowed");
      expect(codeOf(await proposals.decline(world.context, answer(by, offer.id)))).toBe("not_allowed");
    }
    expect(codeOf(await proposals.counter(world.context, { ...answer(stranger, offer.id), ...terms }))).toBe(
      "not_allowed",
    );
    expect(codeOf(await proposals.cancel(world.context, answer(blue, offer.id)))).toBe("not_allowed");
    expect(
      codeOf(await proposals.accept(world.context, answer(blue, "00000000-0000-4000-8000-000000000000"))),
    ).toBe("not_found");
  });

  test("is too late from the moment on which it lapses, and not a millisecond before", async () => {
    const startMs = world.time.nowMs;
    for (const [offsetMs, code] of [
      [-1, "ok"],
      [0, "proposal_expired"],
      [1, "proposal_expired"],
    ] as const) {
      await newPair();
      const offer = value(await propose({ ...toBlue(), lapseSeconds: 60 }));
      world.time.nowMs = Date.parse(offer.expiresAt) + offsetMs;
      expect(codeOf(await proposals.accept(world.context, answer(blue, offer.id)))).toBe(code);
      world.time.nowMs = startMs;
      if (code !== "ok") value(await proposals.cancel(world.context, answer(red, offer.id)));
    }
  });
});

describe("a counter", () => {
  test("turns the table: the old stake is free and whoever counters holds", async () => {
    await newPair();
    const offer = value(await propose(toBlue()));
    const counter = value(await proposals.counter(world.context, { ...answer(blue, offer.id), ...terms }));
    expect(counter).toMatchObject({
      parentId: offer.id,
      rootId: offer.id,
      proposer: { id: blue },
      taker: { id: red },
    });
    expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
    expect(await world.poolOf(blue)).toEqual({ available: dollars(80), held: dollars(20) });
    const { gameId } = value(await proposals.accept(world.context, answer(red, counter.id)));
    const chain = value(await proposals.readProposalChain(world.context, counter.id)).items;
    expect(chain.map(({ id, state }) => [id, state])).toEqual([
      [offer.id, "countered"],
      [counter.id, "accepted"],
    ]);
    expect(chain[1]?.gameId).toBe(gameId);
  });

  test("to an open offer leaves it standing, and ends it when it is taken", async () => {
    await newPair();
    const offer = value(await propose());
    const counter = value(await proposals.counter(world.context, { ...answer(blue, offer.id), ...terms }));
    expect(value(await proposals.readProposal(world.context, offer.id)).state).toBe("pending");
    expect((await world.poolOf(red)).held).toBe(dollars(50));
    value(await proposals.accept(world.context, answer(red, counter.id)));
    expect(value(await proposals.readProposal(world.context, offer.id)).state).toBe("countered");
    expect(await world.poolOf(red)).toEqual({ available: dollars(80), held: 0n });
    const told = (await events("proposal:update")).slice(0, 2) as {
      rooms: string[];
      data: { proposal: { id: string } };
    }[];
    expect(told.find(({ data }) => data.proposal.id === offer.id)?.rooms).toContain("arena");
  });
});

describe("passing and calling off", () => {
  test("give the stake back, once", async () => {
    await newPair();
    const offer = value(await propose(toBlue()));
    expect(value(await proposals.decline(world.context, answer(blue, offer.id))).state).toBe("declined");
    expect(codeOf(await proposals.decline(world.context, answer(blue, offer.id)))).toBe(
      "proposal_not_pending",
    );
    expect(codeOf(await proposals.cancel(world.context, answer(red, offer.id)))).toBe("proposal_not_pending");
    expect(await world.poolOf(red)).toEqual({ available: dollars(100), held: 0n });
  });
});

describe("lists", () => {
  test("show each box to its owner, page by page, none twice and none missing", async () => {
    await newPair();
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      // Three of one moment each: the order must not hang on the clock alone.
      if (index % 3 === 0) world.time.nowMs += 1;
      made.push(value(await propose({ ...toBlue(), proposerStake: 1n })).id);
    }
    for (const [by, box] of [
      [blue, "inbox"],
      [red, "sent"],
      [red, "all"],
      [blue, "all"],
    ] as const) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = value(await proposals.listProposals(world.context, { by, box, cursor, limit: 2 }));
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toHaveLength(7);
      expect([...seen].sort()).toEqual([...made].sort());
    }
    expect(
      value(await proposals.listProposals(world.context, { by: red, box: "inbox", limit: 9 })).items,
    ).toEqual([]);
    const strange = await proposals.listProposals(world.context, {
      by: red,
      box: "all",
      cursor: "1'; --",
      limit: 9,
    });
    expect(codeOf(strange)).toBe("request_invalid");
  });

  test("of open offers show only those that anybody may take now", async () => {
    await newPair();
    const open = value(await propose({ lapseSeconds: 60, proposerStake: 1n }));
    await propose({ ...toBlue(), proposerStake: 1n });
    const ids = async () =>
      value(await proposals.listProposals(world.context, { by: blue, box: "public", limit: 100 })).items.map(
        ({ id }) => id,
      );
    expect(await ids()).toContain(open.id);
    expect(
      value(
        await proposals.listProposals(world.context, { by: blue, box: "public", limit: 100 }),
      ).items.every(({ taker }) => taker === null),
    ).toBe(true);
    const nowMs = world.time.nowMs;
    world.time.nowMs = Date.parse(open.expiresAt);
    expect(await ids()).not.toContain(open.id);
    world.time.nowMs = nowMs;
  });

  test("take the same number of statements for one offer as for many", async () => {
    await newPair();
    const count = async (limit: number) => {
      const query = world.context.pool.query;
      let statements = 0;
      world.context.pool.query = ((...given: Parameters<typeof query>) => {
        statements += 1;
        return query.apply(world.context.pool, given);
      }) as typeof query;
      await proposals.listProposals(world.context, { by: red, box: "sent", limit });
      world.context.pool.query = query;
      return statements;
    };
    for (let index = 0; index < 25; index += 1) await propose({ proposerStake: 1n });
    expect(await count(25)).toBe(await count(1));
    expect(await count(25)).toBe(1);
  });
});

describe("amounts", () => {
  const body = { opponent: null, token: usdc, proposerStake: "1", takerStake: "1", terms: "x" };
  const bad = [
    "",
    " 12 ",
    "0x10",
    "1e21",
    "-1",
    "0",
    "1.5",
    "01",
    "+1",
    "١٢",
    "1_000",
    "1,000",
    "NaN",
    "null",
    (2n ** 256n).toString(),
    "9".repeat(10_000),
    12,
    1.5,
    null,
    true,
    ["1"],
    { amount: "1" },
  ];
  test.each(bad)("%j is refused with the field", (amount) => {
    for (const field of ["proposerStake", "takerStake"]) {
      const parsed = proposeBody.safeParse({ ...body, [field]: amount });
      expect(parsed.success).toBe(false);
      expect(parsed.error?.issues[0]?.path).toEqual([field]);
    }
  });

  test("are refused by the service too, should a caller forget", async () => {
    await newPair();
    expect(await propose({ proposerStake: 0n })).toMatchObject({
      rejection: { code: "amount_not_positive", field: "proposerStake" },
    });
    expect(await propose({ takerStake: -1n })).toMatchObject({
      rejection: { code: "amount_not_positive", field: "takerStake" },
    });
    expect(await propose({ takerStake: 2n ** 256n })).toMatchObject({
      rejection: { code: "amount_too_large", field: "takerStake" },
    });
    expect(await propose({ takerStake: 2n ** 256n - 1n })).toMatchObject({
      rejection: { code: "amount_too_large" },
    });
  });

  test("of the largest size stay exact from the offer to the winner", async () => {
    const half = 2n ** 255n - 1n;
    const rich = await world.addPlayer("rich_one", { [openwork]: half });
    const richer = await world.addPlayer("rich_two", { [openwork]: half });
    const offer = value(
      await proposals.propose(
        world.context,
        offerBy(rich, { token: openwork, proposerStake: half, takerStake: half }),
      ),
    );
    expect(offer.pot.amount).toBe((half * 2n).toString());
    value(await proposals.accept(world.context, answer(richer, offer.id)));
    expect(await world.poolOf(rich, openwork)).toEqual({ available: 0n, held: 0n });
  });
});

/** SAFETY 31: whoever has no right to decide over a game doesn't, an operator with money in it neither, and each try is written down. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { usdc } from "../services/wager-world.ts";
import { newAccount, openSite, type Player, type Site } from "./site.ts";

let site: Site;
let red: Player;
let blue: Player;
let referee: Player;
let operators: Player[];

beforeAll(async () => {
  const accounts = [newAccount(), newAccount(), newAccount()];
  const operatorAddresses = new Set(accounts.map(({ address }) => address.toLowerCase()));
  site = await openSite({ settings: { operatorAddresses } });
  const baseUnits = 100_000_000_000n;
  [red, blue, referee] = [
    await site.player({ baseUnits }),
    await site.player({ baseUnits }),
    await site.player({ baseUnits }),
  ];
  operators = await Promise.all(accounts.map((account) => site.player({ account, baseUnits })));
});
afterAll(() => site.end());

interface Terms {
  by?: Player;
  to?: Player;
  /** In base units; 10 USDC each unless told. */
  stake?: string;
  refereeHandle?: string;
}
async function aGame({
  by = red,
  to = blue,
  stake = "10000000",
  refereeHandle,
}: Terms = {}): Promise<string> {
  const body = {
    opponent: { handle: to.handle },
    token: usdc,
    proposerStake: stake,
    takerStake: stake,
    terms: "First to 21.",
    ...(refereeHandle === undefined ? {} : { referee: refereeHandle }),
  };
  const { id } = await by.browser.get("propose", { body });
  return (await to.browser.get("acceptProposal", { params: { id } })).gameId;
}
async function aDispute(terms: Terms = {}): Promise<string> {
  const id = await aGame(terms);
  await (terms.by ?? red).browser.get("reportResult", { params: { id }, body: { outcome: "red" } });
  await (terms.to ?? blue).browser.get("reportResult", { params: { id }, body: { outcome: "blue" } });
  return id;
}
const verdict = { outcome: "blue", reason: "The clip shows it." };
const refusalsOf = (player: Player, action: string) =>
  site.rows(
    "SELECT subject, detail->>'code' AS code FROM audit WHERE actor LIKE $1 AND action = $2 ORDER BY id",
    [`%(player ${player.id})`, `refused: ${action}`],
  );
const stateOf = async (id: string) => (await red.browser.get("readGame", { params: { id } })).state;

test("a spectator who reports, gives evidence or decides is refused, and it is written down", async () => {
  const id = await aDispute();
  const spectator = await site.player();
  for (const [name, body] of [
    ["reportResult", { outcome: "red" }],
    ["addEvidence", { text: "I saw it." }],
    ["decideGame", verdict],
  ] as const) {
    expect(await spectator.browser.refused(name, { params: { id }, body })).toBe("403 not_allowed");
    expect(await refusalsOf(spectator, name)).toEqual([{ subject: id, code: "not_allowed" }]);
  }
  expect(await stateOf(id)).toBe("disputed");
});

test("neither player decides the dispute of their own game", async () => {
  const id = await aDispute();
  for (const player of [red, blue]) {
    const answer = await player.browser.ask("decideGame", { params: { id }, body: verdict });
    expect(answer.status).toBe(403);
    expect(await player.browser.refused("decideDispute", { params: { id }, body: verdict })).toBe(
      "403 not_allowed",
    );
  }
  expect(await stateOf(id)).toBe("disputed");
});

test("the referee whom the terms name decides, and another game's referee doesn't", async () => {
  const mine = await aDispute({ refereeHandle: referee.handle });
  const other = await aDispute();
  expect(await referee.browser.refused("decideGame", { params: { id: other }, body: verdict })).toBe(
    "403 not_allowed",
  );
  const decided = await referee.browser.get("decideGame", { params: { id: mine }, body: verdict });
  expect(decided).toMatchObject({ state: "settled", outcome: "blue" });
});

test("an operator with money in a game neither decides nor undoes it, and it is written down", async () => {
  const [player, colleague] = operators as [Player, Player];
  const id = await aDispute({ by: player });
  expect(await player.browser.refused("decideDispute", { params: { id }, body: verdict })).toBe(
    "403 money_in_it",
  );
  const settled = await colleague.browser.get("decideDispute", { params: { id }, body: verdict });
  expect(settled.state).toBe("settled");
  expect(
    await player.browser.refused("undoSettlement", { params: { id }, body: { reason: "I lost." } }),
  ).toBe("403 money_in_it");
  expect(await refusalsOf(player, "decideDispute")).toEqual([{ subject: id, code: "money_in_it" }]);
  expect(await refusalsOf(player, "undoSettlement")).toEqual([{ subject: id, code: "money_in_it" }]);
});

test("above the limit one operator isn't enough, the same one twice neither, nor two who say different things", async () => {
  const [first, second, third] = operators as [Player, Player, Player];
  const id = await aDispute({ stake: "600000000" });
  const decide = (operator: Player, outcome = "blue") =>
    operator.browser.ask("decideDispute", { params: { id }, body: { ...verdict, outcome } });
  const alone = await decide(first);
  expect(alone).toMatchObject({
    status: 403,
    body: { code: "second_approval_needed", facts: { given: "1", needed: "2" } },
  });
  expect((await decide(first)).body.code).toBe("second_approval_needed");
  expect((await decide(second, "red")).body.code).toBe("second_approval_needed");
  expect(await stateOf(id)).toBe("disputed");
  expect((await decide(third)).body).toMatchObject({ state: "settled", outcome: "blue" });
  expect((await refusalsOf(first, "decideDispute")).filter(({ subject }) => subject === id)).toHaveLength(2);
  const acts = await site.rows("SELECT actor FROM audit WHERE subject = $1 AND action = 'decide_dispute'", [
    `game:${id}`,
  ]);
  expect(acts).toEqual([{ actor: `${third.handle} (player ${third.id})` }]);
});

test("a switch that an operator throws stops new offers at once, and the audit says who and why", async () => {
  const [operator] = operators as [Player];
  const body = { name: "proposals", on: false, reason: "Maintenance." };
  const offer = { opponent: null, token: usdc, proposerStake: "1", takerStake: "1", terms: "Heads." };
  await operator.browser.get("setSwitch", { body });
  expect(await red.browser.refused("propose", { body: offer })).toBe("503 switched_off");
  await operator.browser.get("setSwitch", { body: { ...body, on: true } });
  expect((await red.browser.ask("propose", { body: offer })).status).toBe(200);
  const { items } = await operator.browser.get("readAudit", { query: { limit: "2" } });
  expect(items.map(({ action, subject, detail }) => ({ action, subject, ...JSON.parse(detail) }))).toEqual([
    { action: "switch", subject: "proposals", on: true, reason: "Maintenance." },
    { action: "switch", subject: "proposals", on: false, reason: "Maintenance." },
  ]);
});

test("the audit comes in pages, each line once", async () => {
  const [operator] = operators as [Player];
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, string> = { limit: "3", ...(cursor === null ? {} : { cursor }) };
    const page: { items: { id: string }[]; nextCursor: string | null } = await operator.browser.get(
      "readAudit",
      { query },
    );
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  const rows = await site.rows("SELECT id FROM audit ORDER BY id DESC");
  expect(seen).toEqual(rows.map(({ id }) => id));
  expect(await operator.browser.refused("readAudit", { query: { cursor: "1; DROP TABLE audit" } })).toBe(
    "400 request_invalid",
  );
});

test("what is written down can't be changed by the application", async () => {
  await expect(site.rows("UPDATE audit SET actor = 'nobody'")).rejects.toThrow(/permission denied/);
  await expect(site.rows("DELETE FROM audit")).rejects.toThrow(/permission denied/);
});

test("who insists fills no more than fifty lines of the audit in an hour", async () => {
  const id = await aDispute();
  const spectator = await site.player();
  for (let index = 0; index < 55; index += 1)
    expect(await spectator.browser.refused("decideGame", { params: { id }, body: verdict })).toBe(
      "403 not_allowed",
    );
  expect(await refusalsOf(spectator, "decideGame")).toHaveLength(50);
});

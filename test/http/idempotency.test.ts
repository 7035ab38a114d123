/** SAFETY 16: one key, one effect, one answer. */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../helpers/wait.ts";
import { usdc } from "../services/wager-world.ts";
import { openSite, type Player, type Site } from "./site.ts";

let site: Site;
let player: Player;
let port: number;
beforeAll(async () => {
  site = await openSite();
  player = await site.player({ baseUnits: 10_000_000_000n });
  await site.app.listen({ host: "127.0.0.1", port: 0 });
  const address = site.app.server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  port = address.port;
});
afterAll(() => site.end());

const offer = {
  opponent: null,
  token: usdc,
  proposerStake: "1000000",
  takerStake: "1000000",
  terms: "Heads.",
};
const held = async () => (await site.poolOf(player.id)).held;

test("fifty times one key in parallel, on two processes, is one offer and the same answer", async () => {
  const before = await held();
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      player.browser.copy(index % 2 === 0 ? site.app : site.otherApp).ask("propose", { body: offer, key }),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect((await held()) - before).toBe(1_000_000n);
});

test("a connection that is cut after the commit gets the same answer on the next try", async () => {
  const key = randomUUID();
  const before = await held();
  const body = JSON.stringify(offer);
  const head = [
    "POST /api/proposals HTTP/1.1",
    "host: localhost",
    `origin: ${site.origin}`,
    `cookie: ${player.browser.cookieHeader}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    `idempotency-key: ${key}`,
  ];
  // Nobody ever reads from this connection, so that the answer is lost on its way.
  const cut = connect(port, "127.0.0.1").on("error", () => undefined);
  cut.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  const stored = await waitFor(
    async () => (await site.rows("SELECT body FROM idempotency_key WHERE key = $1", [key]))[0],
    { what: "the offer that nobody waits for any more" },
  );
  cut.destroy();
  const again = await player.browser.get("propose", { body: offer, key });
  expect(again).toEqual(stored.body);
  expect((await held()) - before).toBe(1_000_000n);
});

test("the same request in other words is the same request", async () => {
  const key = randomUUID();
  const first = await player.browser.get("propose", { body: offer, key });
  const reordered = { ...Object.fromEntries(Object.entries(offer).reverse()), lapseSeconds: 600 };
  expect(await player.browser.get("propose", { body: reordered, key })).toEqual(first);
  const checksummed = { ...offer, token: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913" };
  expect(await player.browser.get("propose", { body: checksummed, key })).toEqual(first);
});

test("another request under the same key is refused and changes nothing", async () => {
  const key = randomUUID();
  const { id } = await player.browser.get("propose", { body: offer, key });
  const before = await held();
  const more = { ...offer, proposerStake: "1000001" };
  expect(await player.browser.refused("propose", { body: more, key })).toBe("409 idempotency_key_reused");
  expect(await player.browser.refused("cancelProposal", { params: { id }, key })).toBe(
    "409 idempotency_key_reused",
  );
  expect(await held()).toBe(before);
});

test("one key on two offers' routes is two requests", async () => {
  const [one, two] = [
    await player.browser.get("propose", { body: offer }),
    await player.browser.get("propose", { body: offer }),
  ];
  const key = randomUUID();
  await player.browser.get("cancelProposal", { params: { id: one.id }, key });
  expect(await player.browser.refused("cancelProposal", { params: { id: two.id }, key })).toBe(
    "409 idempotency_key_reused",
  );
});

test("a refusal isn't kept: with money in the pool the same key goes through", async () => {
  const poor = await site.player();
  const key = randomUUID();
  expect(await poor.browser.refused("propose", { body: offer, key })).toBe("409 insufficient_funds");
  await site.deposit(poor.id, { amount: 1_000_000n });
  expect((await poor.browser.ask("propose", { body: offer, key })).status).toBe(200);
});

test("two players may use the same key, and neither sees the other's answer", async () => {
  const other = await site.player({ baseUnits: 1_000_000n });
  const key = randomUUID();
  const mine = await player.browser.get("propose", { body: offer, key });
  const theirs = await other.browser.get("propose", { body: offer, key });
  expect(theirs.id).not.toBe(mine.id);
  expect(theirs.proposer.id).toBe(other.id);
});

test("a key is kept when its player has signed out and in again", async () => {
  const key = randomUUID();
  const first = await player.browser.get("propose", { body: offer, key });
  const later = site.browser();
  await later.signIn(player.account);
  expect(await later.get("propose", { body: offer, key })).toEqual(first);
});

test.each([null, "", "short", "x".repeat(129), "with a space", "tab\there", "ümlaute-ümlaute"])(
  "the key %j is refused",
  async (key) => {
    const answer = await player.browser.ask("propose", { body: offer, key });
    expect(answer).toMatchObject({ status: 400, body: { code: "idempotency_key_missing" } });
  },
);

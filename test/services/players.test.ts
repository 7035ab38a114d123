/** Who a player is to others, and what a player can change about it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { findPlayer } from "../../engine/services/players.ts";
import { newAccount, openSite, type Player, type Site } from "../http/site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.end());

const rename = (player: Player, handle: string) => player.browser.ask("changeMe", { body: { handle } });

test("a handle is taken once, whatever its case, and is free again when its owner leaves it", async () => {
  const [first, second] = [await site.player(), await site.player()];
  expect((await rename(first, "Marcus")).body.handle).toBe("Marcus");
  expect(await second.browser.refused("changeMe", { body: { handle: "mARCUS" } })).toBe("409 handle_taken");
  await rename(first, "marcus");
  await rename(first, "Marcus_2");
  expect((await rename(second, "marcus")).status).toBe(200);
});

test("of fifty players who want one handle at once, one gets it", async () => {
  const players = await Promise.all(Array.from({ length: 50 }, () => site.player()));
  const answers = await Promise.all(players.map((player) => rename(player, "wanted")));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.code === "handle_taken")).toHaveLength(49);
});

test.each([
  "",
  "ab",
  "a".repeat(21),
  "mar cus",
  "märcus",
  "mаrcus",
  "marcus\u200b",
  "mar\u0000cus",
  "<b>x</b>",
  "🎲🎲🎲",
  "@@x",
  7,
])("the handle %j is refused at its field", async (handle) => {
  const { browser } = await site.player();
  const answer = await browser.ask("changeMe", { body: { handle } });
  expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: "/handle" }] } });
});

test.each(["house", "Support", "ON_THE_RAIL", "anyone"])("nobody may be called %s", async (handle) => {
  const { browser } = await site.player();
  expect(await browser.refused("changeMe", { body: { handle } })).toBe("400 handle_invalid");
});

test("a player is found by handle or by any wallet, and a slip of the finger is understood", async () => {
  const player = await site.player();
  await rename(player, "Katharina");
  const { pool } = site.context;
  const found = { ok: true, value: { id: player.id, handle: "Katharina" } };
  expect(await findPlayer(pool, { handle: "katharina" })).toEqual(found);
  expect(await findPlayer(pool, { address: player.account.address.toLowerCase() })).toEqual(found);
  expect(await findPlayer(pool, { handle: "katharnia" })).toMatchObject({
    ok: false,
    rejection: { code: "player_unknown", facts: { suggestion: "Katharina" } },
  });
  const nobody = await findPlayer(pool, { handle: "zzzzzz" });
  expect(nobody).toMatchObject({ ok: false, rejection: { code: "player_unknown" } });
  expect(nobody.ok || nobody.rejection.facts).toBeUndefined();
  expect(await findPlayer(pool, { address: `0x${"12".repeat(20)}` })).toMatchObject({ ok: false });
});

test("what isn't given stays as it is", async () => {
  const { browser } = await site.player();
  const before = await browser.get("changeMe", { body: { handle: "steady", winningsTo: "wallet" } });
  expect(await browser.get("changeMe", { body: {} })).toEqual(before);
  const after = await browser.get("changeMe", { body: { winningsTo: "pool" } });
  expect(after).toEqual({ ...before, winningsTo: "pool" });
});

test("the terms are accepted once, at the first moment that counts", async () => {
  const browser = site.browser();
  await browser.signIn(newAccount());
  const first = await browser.get("changeMe", { body: { acceptTerms: true } });
  expect(first.termsAcceptedAt).toBe(new Date(site.time.nowMs).toISOString());
  site.time.nowMs += 1_000;
  expect((await browser.get("changeMe", { body: { acceptTerms: true } })).termsAcceptedAt).toBe(
    first.termsAcceptedAt,
  );
  expect((await browser.ask("changeMe", { body: { acceptTerms: false } })).status).toBe(400);
});

test("before the terms are accepted nothing that moves money is possible", async () => {
  const browser = site.browser();
  await browser.signIn(newAccount());
  expect(await browser.refused("propose", { body: {} })).toBe("403 terms_not_accepted");
});

test("a second wallet is linked by its own signature, signs in as the same player and can become the primary one", async () => {
  const player = await site.player();
  const second = newAccount();
  const linked = await player.browser.get("linkWallet", { body: await player.browser.linkChallenge(second) });
  const [one, two] = [player.account, second].map(({ address }) => address.toLowerCase());
  expect(linked.wallets).toMatchObject([
    { address: one, primary: true },
    { address: two, primary: false },
  ]);
  expect((await site.browser().signIn(second)).id).toBe(player.id);
  const moved = await player.browser.get("changeMe", { body: { primaryWallet: second.address } });
  expect(moved.wallets).toMatchObject([
    { address: two, primary: true },
    { address: one, primary: false },
  ]);
});

test("a wallet is nobody else's to link, and linking one's own again changes nothing", async () => {
  const [owner, other] = [await site.player(), await site.player()];
  const taken = await other.browser.linkChallenge(owner.account);
  expect(await other.browser.refused("linkWallet", { body: taken })).toBe("409 wallet_taken");
  const again = await owner.browser.linkChallenge(owner.account);
  expect((await owner.browser.get("linkWallet", { body: again })).wallets).toHaveLength(1);
});

test("a signature that links can't be used twice, nor by somebody who isn't signed in", async () => {
  const player = await site.player();
  const body = await player.browser.linkChallenge(newAccount());
  expect(await site.browser().refused("linkWallet", { body })).toBe("401 not_signed_in");
  await player.browser.get("linkWallet", { body });
  expect(await player.browser.refused("linkWallet", { body })).toBe("401 sign_in_refused");
});

test("a message says what signing it does, and does nothing else", async () => {
  const [player, other] = [await site.player(), await site.player()];
  const account = newAccount();
  const linking = await player.browser.linkChallenge(account);
  expect(linking.message).toContain(`You link this wallet to the account @${player.handle}:`);
  expect(await player.browser.refused("verifyChallenge", { body: linking })).toBe("401 sign_in_refused");
  // Another player in the same browser.
  for (const [name, value] of player.browser.cookies)
    if (name.endsWith("rail_browser")) other.browser.cookies.set(name, value);
  expect(await other.browser.refused("linkWallet", { body: linking })).toBe("401 sign_in_refused");
  const signingIn = await player.browser.challenge(account);
  expect(await player.browser.refused("linkWallet", { body: signingIn })).toBe("401 sign_in_refused");
  expect((await player.browser.get("linkWallet", { body: linking })).wallets).toHaveLength(2);
});

test("somebody else's wallet can't become the primary one, and nothing else of that request happens", async () => {
  const [player, other] = [await site.player(), await site.player()];
  const before = await player.browser.get("readMe");
  const body = { handle: "half_done", primaryWallet: other.account.address };
  expect(await player.browser.refused("changeMe", { body })).toBe("403 wallet_not_verified");
  expect(await player.browser.get("readMe")).toEqual(before);
});

test("a player of an operator's wallet is an operator, at once and only while it is on the list", async () => {
  const account = newAccount();
  const mine = await openSite({ settings: { operatorAddresses: new Set([account.address.toLowerCase()]) } });
  try {
    const { browser } = await mine.player({ account });
    expect((await browser.get("readMe")).operator).toBe(true);
    const stranger = await mine.player();
    expect((await stranger.browser.get("readMe")).operator).toBe(false);
    expect((await browser.ask("readAudit")).status).toBe(200);
    expect(await stranger.browser.refused("readAudit")).toBe("403 not_allowed");
  } finally {
    await mine.end();
  }
});

test("a new overlay link opens the player's live room, and the one before it opens nothing", async () => {
  const { browser, id, handle } = await site.player();
  const { roomsOfOverlay } = await import("../../engine/services/overlays.ts");
  const [first, second] = [await browser.get("rotateOverlay"), await browser.get("rotateOverlay")];
  const tokenOf = ({ path }: { path: string }) => new URL(path, site.origin).searchParams.get("token") ?? "";
  expect(first.path).toMatch(new RegExp(`^/overlay/${handle}\\?token=[\\w-]{43}$`));
  expect(await roomsOfOverlay(site.context, tokenOf(first))).toBeNull();
  expect(await roomsOfOverlay(site.context, tokenOf(second))).toMatchObject({ live: `live:${id}` });
  const [stored] = await site.rows("SELECT token_hash FROM overlay_link WHERE player_id = $1", [id]);
  expect(String(stored?.token_hash)).not.toContain(tokenOf(first));
});

/** SAFETY 28: a signed message lets one browser in, once, or nobody. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { challengeLifetimeMs } from "../../engine/services/challenges.ts";
import { createSessionReader, endedSessions, sessionLifetimeMs } from "../../engine/services/sessions.ts";
import { waitFor } from "../helpers/wait.ts";
import { newAccount, openSite, type Site } from "../http/site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.end());

const sessionCookie = "rail_session";
const refused = "401 sign_in_refused";

test("a new wallet gets a player with a readable handle, its own wallet and a deposit address that is kept", async () => {
  const account = newAccount();
  const browser = site.browser();
  const me = await browser.signIn(account);
  expect(me.handle).toMatch(/^[a-z]+_[a-z]+_\d{3}$/);
  expect(me.wallets).toMatchObject([{ address: account.address.toLowerCase(), primary: true }]);
  expect(me).toMatchObject({ winningsTo: "pool", termsAcceptedAt: null, operator: false });
  const wallets = await site.rows("SELECT address FROM wallet WHERE player_id = $1", [me.id]);
  expect(wallets).toHaveLength(1);
  expect(await browser.get("readMe")).toEqual(me);
  // The same wallet in another browser is the same player.
  expect(await site.browser().signIn(account)).toEqual(me);
});

test("of fifty answers at once with one signature, on two processes, one gets a session", async () => {
  const account = newAccount();
  const browser = site.browser();
  const body = await browser.challenge(account);
  const windows = Array.from({ length: 50 }, (_, index) =>
    browser.copy(index % 2 === 0 ? site.app : site.otherApp),
  );
  const answers = await Promise.all(windows.map((window) => window.ask("verifyChallenge", { body })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(
    answers.filter(({ status, body }) => status === 401 && body.code === "sign_in_refused"),
  ).toHaveLength(49);
  expect(await sessionsOf(account.address)).toBe(1);
});

test("of fifty first sign-ins at once with a new wallet, one player comes", async () => {
  const account = newAccount();
  const browsers = Array.from({ length: 50 }, () => site.browser());
  const people = await Promise.all(browsers.map((browser) => browser.signIn(account)));
  expect(new Set(people.map(({ id }) => id)).size).toBe(1);
  const address = account.address.toLowerCase();
  expect(await site.rows("SELECT FROM player_wallet WHERE address = $1", [address])).toHaveLength(1);
});

test("of sixty new wallets at once each gets a player and an address of its own, though none was ready", async () => {
  const ids = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const browser = site.browser(index % 2 === 0 ? site.app : site.otherApp);
      return (await browser.signIn(newAccount())).id;
    }),
  );
  const wallets = await site.rows("SELECT DISTINCT address FROM wallet WHERE player_id = ANY ($1)", [ids]);
  expect(wallets).toHaveLength(60);
});

test("a message that signed in once never does again: not after logout, not on another process", async () => {
  const browser = site.browser();
  const body = await browser.challenge(newAccount());
  await browser.get("verifyChallenge", { body });
  expect(await browser.copy(site.otherApp).refused("verifyChallenge", { body })).toBe(refused);
  await browser.get("logout");
  expect(await browser.refused("verifyChallenge", { body })).toBe(refused);
});

test("a message is for the browser that asked for it, for five minutes", async () => {
  const account = newAccount();
  const asked = site.browser();
  const stolen = await asked.challenge(account);
  expect(await site.browser().refused("verifyChallenge", { body: stolen })).toBe(refused);
  const other = site.browser();
  await other.challenge(account);
  expect(await other.refused("verifyChallenge", { body: stolen })).toBe(refused);
  site.time.nowMs += challengeLifetimeMs;
  expect(await asked.refused("verifyChallenge", { body: stolen })).toBe(refused);

  const late = await asked.challenge(account);
  site.time.nowMs += challengeLifetimeMs - 1;
  expect((await asked.ask("verifyChallenge", { body: late })).status).toBe(200);
});

test.each<[string, (message: string) => string]>([
  ["another domain", (message) => message.replace(/^localhost:4200/, "evil.example")],
  ["a scheme", (message) => `https://${message}`],
  ["another uri", (message) => message.replace("URI: http://localhost:4200", "URI: http://localhost:4200/x")],
  ["another version", (message) => message.replace("Version: 1", "Version: 2")],
  ["another chain", (message) => message.replace("Chain ID: 8453", "Chain ID: 1")],
  ["a nonce of somebody else's", (message) => message.replace(/Nonce: \w{64}/, `Nonce: ${"a1".repeat(32)}`)],
  ["an empty nonce", (message) => message.replace(/Nonce: \w{64}/, "Nonce: ")],
  [
    "a later expiry",
    (message) => message.replace(/Expiration Time: .*/, "Expiration Time: 2099-01-01T00:00:00.000Z"),
  ],
  ["no expiry", (message) => message.replace(/\nExpiration Time: .*/, "")],
  ["another statement", (message) => message.replace("It cannot move money", "It can move money")],
  ["words after the end", (message) => `${message}\nResources:\n- https://evil.example`],
  ["a line feed after the end", (message) => `${message}\n`],
  [
    "an address in lower case",
    (message) => message.replace(/0x[0-9a-fA-F]{40}/, (found) => found.toLowerCase()),
  ],
  ["words that aren't a message", () => "let me in"],
])("%s in the message is refused although the wallet signed it", async (_, changed) => {
  const browser = site.browser();
  const account = accountWithCapitals();
  const { message } = await browser.get("createChallenge", { body: { address: account.address } });
  const asked = changed(message);
  expect(asked).not.toBe(message);
  const signature = await account.signMessage({ message: asked });
  expect(await browser.refused("verifyChallenge", { body: { message: asked, signature } })).toBe(refused);
  expect(await sessionsOf(account.address)).toBe(0);
});

/** One of some thousands has none in its address, which is then the same in lower case. */
function accountWithCapitals(): ReturnType<typeof newAccount> {
  for (;;) {
    const account = newAccount();
    if (/[A-F]/.test(account.address)) return account;
  }
}

test("the session is new at each sign-in, and the browser's former one is over", async () => {
  const account = newAccount();
  const browser = site.browser();
  await browser.signIn(account);
  const former = browser.copy();
  await browser.signIn(account);
  expect(browser.cookies.get(sessionCookie)).not.toBe(former.cookies.get(sessionCookie));
  expect(await former.refused("readMe")).toBe("401 not_signed_in");
  await browser.get("readMe");
});

test("a session id that somebody planted before the sign-in isn't the one that counts after it", async () => {
  const planted = "p".repeat(43);
  const browser = site.browser();
  browser.cookies.set(sessionCookie, planted);
  await browser.signIn(newAccount());
  expect(browser.cookies.get(sessionCookie)).not.toBe(planted);
  const attacker = site.browser();
  attacker.cookies.set(sessionCookie, planted);
  expect(await attacker.refused("readMe")).toBe("401 not_signed_in");
});

test("a logout is over on every process at once, and the stored id can't be used as a cookie", async () => {
  const browser = site.browser();
  await browser.signIn(newAccount());
  const elsewhere = browser.copy(site.otherApp);
  await elsewhere.get("readMe");
  const [row] = await site.rows("SELECT id_hash FROM session ORDER BY created_at DESC LIMIT 1");
  const thief = site.browser();
  const stored = row?.id_hash;
  if (!(stored instanceof Buffer)) throw new Error("no session was stored");
  thief.cookies.set(sessionCookie, stored.toString("base64url"));
  expect(await thief.refused("readMe")).toBe("401 not_signed_in");
  await browser.get("logout");
  expect(await elsewhere.refused("readMe")).toBe("401 not_signed_in");
});

test("every process hears of a logout, and can find out which sessions are over", async () => {
  const browser = site.browser();
  await browser.signIn(newAccount());
  const over = await createSessionReader(site.other)(browser.cookieHeader);
  const other = site.browser();
  await other.signIn(newAccount());
  const standing = await createSessionReader(site.other)(other.cookieHeader);
  if (over === null || standing === null) throw new Error("not signed in");
  expect(await endedSessions(site.other, [over.sessionId, standing.sessionId])).toEqual([]);

  const listening = await site.other.pool.connect();
  const heard: (string | undefined)[] = [];
  listening.on("notification", ({ payload }) => heard.push(payload));
  await listening.query("LISTEN session_ended");
  await browser.get("logout");
  await waitFor(() => heard.includes(over.sessionId), { what: "the word of the logout" });
  listening.release(true);
  expect(await endedSessions(site.other, [over.sessionId, standing.sessionId])).toEqual([over.sessionId]);
  site.time.nowMs += sessionLifetimeMs;
  expect(await endedSessions(site.other, [standing.sessionId])).toEqual([standing.sessionId]);
});

test("a session is over after seven days, used or not", async () => {
  const browser = site.browser();
  await browser.signIn(newAccount());
  const days = 24 * 60 * 60 * 1_000;
  site.time.nowMs += 7 * days - 1;
  await browser.get("readMe");
  site.time.nowMs += 1;
  expect(await browser.refused("readMe")).toBe("401 not_signed_in");
});

test("a browser may have ten messages waiting, and more once one is answered", async () => {
  const browser = site.browser();
  const account = newAccount();
  const ask = () => browser.ask("createChallenge", { body: { address: account.address } });
  for (let asked = 0; asked < 9; asked += 1) expect((await ask()).status).toBe(200);
  const last = await browser.challenge(account);
  expect((await ask()).status).toBe(429);
  await browser.get("verifyChallenge", { body: last });
  expect((await ask()).status).toBe(200);
});

test("the cookies are out of reach of scripts and of other sites", async () => {
  const browser = site.browser();
  const account = newAccount();
  const asked = await browser.ask("createChallenge", { body: { address: account.address } });
  expect(asked.headers["set-cookie"]).toMatch(
    /^rail_browser=[\w-]{43}; Max-Age=300; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const body = {
    message: asked.body.message,
    signature: await account.signMessage({ message: asked.body.message }),
  };
  const entered = await browser.ask("verifyChallenge", { body });
  expect(entered.headers["set-cookie"]).toMatch(
    /^rail_session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
  );
});

test("over https the cookies are Secure and bound to this host", async () => {
  const secure = await openSite({ settings: { publicOrigin: "https://rail.example" } });
  try {
    const browser = secure.browser();
    const account = newAccount();
    const asked = await browser.ask("createChallenge", { body: { address: account.address } });
    expect(asked.headers["set-cookie"]).toMatch(
      /^__Host-rail_browser=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(asked.body.message).toMatch(/^rail\.example wants you to sign in/);
    const body = {
      message: asked.body.message,
      signature: await account.signMessage({ message: asked.body.message }),
    };
    const entered = await browser.ask("verifyChallenge", { body });
    expect(entered.headers["set-cookie"]).toMatch(
      /^__Host-rail_session=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    await browser.get("readMe");
  } finally {
    await secure.end();
  }
});

async function sessionsOf(address: string): Promise<number> {
  const found = await site.rows("SELECT FROM session WHERE data->>'address' = $1", [address.toLowerCase()]);
  return found.length;
}

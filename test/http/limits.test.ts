/** One client can't take the server from the others, whatever it says about itself. */
import { connect } from "node:net";
import { Writable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { createPool } from "../../engine/db/pool.ts";
import { storeProviders } from "../../engine/db/providers.ts";
import { buildApp } from "../../engine/http/app.ts";
import { createLog } from "../../engine/log.ts";
import { waitFor } from "../helpers/wait.ts";
import { newAccount, openSite, type Site } from "./site.ts";

let site: Site;
afterEach(() => site.end());

const read = (headers: Record<string, string> = {}) =>
  site.app.inject({ url: "/api/config", remoteAddress: "10.0.0.9", headers });

test("beyond the limit an address is told when to come back; others go on", async () => {
  site = await openSite({ requestsPerMinute: 20 });
  const startedAtMs = performance.now();
  for (let asked = 1; asked <= 20; asked += 1) {
    const answer = await read();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      "ratelimit-limit": "20",
      "ratelimit-remaining": String(20 - asked),
    });
  }
  const refused = await read();
  expect(refused.statusCode).toBe(429);
  const { code, facts } = refused.json();
  const { "retry-after": seconds, "ratelimit-remaining": remaining } = refused.headers;
  expect({ code, facts, remaining }).toEqual({
    code: "too_many_requests",
    facts: { retryAfterSeconds: String(seconds) },
    remaining: "0",
  });
  // What is left of the minute that began with the first.
  const elapsed = (performance.now() - startedAtMs) / 1_000;
  expect(Number(seconds)).toBeLessThanOrEqual(60);
  expect(Number(seconds)).toBeGreaterThanOrEqual(Math.floor(60 - elapsed));
  expect((await site.app.inject({ url: "/api/config", remoteAddress: "10.0.0.10" })).statusCode).toBe(200);
  expect((await site.app.inject({ url: "/health/live", remoteAddress: "10.0.0.9" })).statusCode).toBe(200);
});

test("whoever has a whole IPv6 network has one limit", async () => {
  site = await openSite({ requestsPerMinute: 20 });
  const from = (remoteAddress: string) => site.app.inject({ url: "/api/config", remoteAddress });
  for (let asked = 0; asked < 20; asked += 1) await from(`2001:db8:0:7::${asked}`);
  expect((await from("2001:db8:0:7:1:2:3:4")).statusCode).toBe(429);
  expect((await from("2001:db8:0:8::1")).statusCode).toBe(200);
});

test("two players behind one address don't use each other's limit up", async () => {
  site = await openSite({ requestsPerMinute: 20 });
  const [first, second] = [await site.player(), await site.player()];
  for (;;) if ((await first.browser.ask("readMe")).status === 429) break;
  expect((await second.browser.ask("readMe")).status).toBe(200);
});

test("a made-up cookie for each request doesn't get around the limit", async () => {
  site = await openSite({ requestsPerMinute: 20 });
  const statuses = [];
  for (let asked = 0; asked < 21; asked += 1) {
    const cookie = `rail_session=${String(asked).padStart(43, "x")}`;
    statuses.push((await site.app.inject({ url: "/api/me", headers: { cookie } })).statusCode);
  }
  expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401));
  expect(statuses.at(-1)).toBe(429);
});

test("signing in has a tenth of the limit", async () => {
  site = await openSite({ requestsPerMinute: 200 });
  const statuses = [];
  for (let asked = 0; asked < 21; asked += 1) {
    statuses.push(
      (await site.browser().ask("createChallenge", { body: { address: newAccount().address } })).status,
    );
  }
  expect(statuses).toEqual([...Array(20).fill(200), 429]);
});

test("X-Forwarded-For counts only as far as our own proxies wrote it", async () => {
  site = await openSite({ requestsPerMinute: 20 });
  for (let asked = 0; asked < 20; asked += 1) await read({ "x-forwarded-for": `1.2.3.${asked}` });
  expect((await read({ "x-forwarded-for": "1.2.3.99" })).statusCode).toBe(429);
  await site.end();

  site = await openSite({ requestsPerMinute: 20, trustedProxyHops: 1 });
  for (let asked = 0; asked < 20; asked += 1) await read({ "x-forwarded-for": `${asked}.2.3.4, 9.9.9.9` });
  expect((await read({ "x-forwarded-for": "5.6.7.8, 9.9.9.9" })).statusCode).toBe(429);
  expect((await read({ "x-forwarded-for": "9.9.9.9, 5.6.7.8" })).statusCode).toBe(200);
});

test("the figures are for those who reach the process itself", async () => {
  site = await openSite();
  await read();
  const figures = await site.app.inject({ url: "/metrics" });
  expect(figures.body).toContain('http_request_duration_seconds_count{route="readConfig",status="200"} 1');
  expect(figures.body).toContain("nodejs_eventloop_lag_seconds");
  const through = await site.app.inject({ url: "/metrics", headers: { "x-forwarded-for": "1.2.3.4" } });
  expect(through.statusCode).toBe(404);
});

test("the figures have a line for each node, and are there without any", async () => {
  site = await openSite();
  const figures = async () => (await site.app.inject({ url: "/metrics" })).body;
  expect(await figures()).not.toContain("chain_provider_up{");
  const node = { ok: true, agrees: true, note: null, head_number: 20n, behind_blocks: 0 };
  await storeProviders(site.context.pool, [
    { ...node, url: "https://one.example" },
    { ...node, url: "https://two.example", ok: false, agrees: false, note: "away", behind_blocks: 7 },
  ]);
  const body = await figures();
  expect(body).toContain('chain_provider_up{position="0",url="https://one.example"} 1');
  expect(body).toContain('chain_provider_up{position="1",url="https://two.example"} 0');
  expect(body).toContain('chain_provider_agrees{position="1",url="https://two.example"} 0');
  expect(body).toContain('chain_provider_behind_blocks{position="1",url="https://two.example"} 7');
  await storeProviders(site.context.pool, [{ ...node, url: "https://one.example" }]);
  expect(await figures()).not.toContain("two.example");
});

test("a line of the log says who did what, and no secret", async () => {
  site = await openSite();
  const lines: string[] = [];
  const destination = new Writable({
    write: (line: Buffer, _encoding, done) => {
      lines.push(line.toString());
      done();
    },
  });
  const log = createLog({ level: "info", destination });
  const app = await buildApp({
    context: { ...site.context, log },
    trustedProxyHops: 0,
    requestsPerMinute: 1_000,
  });
  const browser = site.browser(app);
  const account = newAccount();
  const signed = await browser.challenge(account);
  const { id } = await browser.get("verifyChallenge", { body: signed });
  await browser.send({ method: "GET", url: "/api/me?token=hidden-in-the-query" });
  const text = lines.join("");
  expect(text).toContain(`"path":"/api/auth/verify","status":200`);
  expect(text).toContain(`"playerId":"${id}"`);
  for (const secret of ["hidden-in-the-query", signed.signature, ...browser.cookies.values()]) {
    expect(text).not.toContain(secret);
  }
  await app.close();
});

test("what a slow database can't keep up with is told to come back, and nobody who waits is forgotten", async () => {
  site = await openSite({ maxRequestsAtWork: 5 });
  const { browser } = await site.player();
  const slow = await site.context.pool.connect();
  await slow.query("BEGIN");
  await slow.query("LOCK TABLE session");
  const waiting = Array.from({ length: 5 }, () => browser.ask("readMe"));
  const refused = await waitFor(
    async () => {
      const answer = await browser.ask("readConfig");
      return answer.status === 503 && answer;
    },
    { what: "five requests under way" },
  );
  expect(refused).toMatchObject({ body: { code: "overloaded" }, headers: { "retry-after": "1" } });
  expect((await site.app.inject({ url: "/health/ready" })).statusCode).toBe(200);
  await slow.query("COMMIT");
  slow.release();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect((await browser.ask("readConfig")).status).toBe(200);
});

test("slow bodies hold no place, and whoever leaves while waiting gives it back", async () => {
  site = await openSite({ maxRequestsAtWork: 5 });
  const { port } = new URL(await site.app.listen({ port: 0, host: "127.0.0.1" }));
  const slow = Array.from({ length: 20 }, () => connect(Number(port), "127.0.0.1"));
  const begin = "POST /api/auth/challenge HTTP/1.1\r\nHost: rail\r\nContent-Type: application/json\r\n";
  for (const socket of slow) {
    socket.on("error", () => undefined);
    socket.write(`${begin}Content-Length: 100\r\n\r\n{`);
  }
  const accepted = () => new Promise<number>((done) => site.app.server.getConnections((_, n) => done(n)));
  await waitFor(async () => (await accepted()) === slow.length, { what: "twenty bodies on their way" });
  expect((await read()).statusCode).toBe(200);
  for (const socket of slow) socket.destroy();
  await waitFor(async () => (await accepted()) === 0, { what: "all of them have gone" });

  // Gone while the session is looked up: five places must be there afterwards.
  const { browser } = await site.player();
  const busy = await site.context.pool.connect();
  await busy.query("BEGIN");
  await busy.query("LOCK TABLE session");
  const leaving = Array.from({ length: 5 }, () => connect(Number(port), "127.0.0.1"));
  for (const socket of leaving) {
    socket.on("error", () => undefined);
    socket.write(`GET /api/me HTTP/1.1\r\nHost: rail\r\nCookie: ${browser.cookieHeader}\r\n\r\n`);
  }
  await waitFor(async () => (await read()).statusCode === 503, { what: "five requests at work" });
  for (const socket of leaving) socket.destroy();
  await waitFor(async () => (await read()).statusCode === 200, { what: "their places" });
  await busy.query("COMMIT");
  busy.release();
  expect((await Promise.all(Array.from({ length: 5 }, () => read()))).map((one) => one.statusCode)).toEqual(
    Array(5).fill(200),
  );
});

test("while the database is away the process says so, and lives", async () => {
  site = await openSite();
  expect((await site.app.inject({ url: "/health/ready" })).json()).toMatchObject({
    ok: true,
    checks: { database: "ok" },
  });
  // Nobody listens on port 1.
  const pool = createPool({ url: "postgres://nobody@127.0.0.1:1/nothing" });
  const app = await buildApp({
    context: { ...site.context, pool },
    trustedProxyHops: 0,
    requestsPerMinute: 1_000,
  });
  const ready = await app.inject({ url: "/health/ready" });
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toMatchObject({ code: "overloaded", facts: { database: "doesn't answer" } });
  expect((await app.inject({ url: "/health/live" })).json()).toEqual({ ok: true, checks: {} });
  expect((await app.inject({ url: "/api/leaderboard" })).json()).toMatchObject({ code: "overloaded" });
  await app.close();
  await pool.end();
});

/** SAFETY 34 and 36: whatever isn't exactly a request of ours is refused with its field, and changes nothing. */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { usdc } from "../services/wager-world.ts";
import { type Answer, openSite, type Player, type Site } from "./site.ts";

let site: Site;
let player: Player;
beforeAll(async () => {
  site = await openSite();
  player = await site.player({ baseUnits: 1_000_000_000n });
});
afterAll(() => site.end());

const offer = {
  opponent: null,
  token: usdc,
  proposerStake: "50000000",
  takerStake: "10000000",
  terms: "First to 21.",
};

/** Refused with this status and code, as problem details without a stack; no offer and no key was written. */
async function expectNothing(ask: () => Promise<Answer>, status: number, code: string): Promise<Answer> {
  const before = await site.rows(
    "SELECT (SELECT count(*) FROM proposal) AS offers, (SELECT count(*) FROM idempotency_key) AS keys, (SELECT max(id) FROM transfer) AS last",
  );
  const answer = await ask();
  expect(`${answer.status} ${answer.body.code}`).toBe(`${status} ${code}`);
  expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  expect(answer.body.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.ts|node_modules|Error:/);
  expect(
    await site.rows(
      "SELECT (SELECT count(*) FROM proposal) AS offers, (SELECT count(*) FROM idempotency_key) AS keys, (SELECT max(id) FROM transfer) AS last",
    ),
  ).toEqual(before);
  return answer;
}

test("the offer that the following ones spoil goes through", async () => {
  expect((await player.browser.ask("propose", { body: offer })).status).toBe(200);
});

test.each([
  "",
  " 12 ",
  "12 ",
  "0x10",
  "1e21",
  "-1",
  "+1",
  "0",
  "00",
  "012",
  "1.5",
  "1,000",
  "1_000",
  "١٢٣",
  "१२",
  "１２",
  "NaN",
  "Infinity",
  (1n << 256n).toString(),
  "9".repeat(78),
  "9".repeat(10_000),
  12,
  12.5,
  1e21,
  null,
  true,
  ["12"],
  { amount: "12" },
])("the amount %j is refused at its field", async (amount) => {
  for (const field of ["proposerStake", "takerStake"]) {
    const answer = await expectNothing(
      () => player.browser.ask("propose", { body: { ...offer, [field]: amount } }),
      400,
      "request_invalid",
    );
    expect(answer.body.errors[0].pointer).toBe(`/${field}`);
    expect(answer.body.errors[0].detail).not.toBe("");
  }
});

test("the largest pot that a token can have is understood, and is more than anybody has", async () => {
  const body = { ...offer, proposerStake: ((1n << 256n) - 1n - 10_000_000n).toString() };
  const answer = await expectNothing(
    () => player.browser.ask("propose", { body }),
    409,
    "insufficient_funds",
  );
  expect(answer.body.errors).toMatchObject([{ pointer: "/proposerStake" }]);
});

test.each([
  ["with a wrong checksum", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914"],
  ["in the wrong case", "0x833589FCD6eDb6E08f4c7C32D4f71b54bdA02913"],
  ["zero", `0x${"0".repeat(40)}`],
  ["one digit short", usdc.slice(0, -1)],
  ["one digit long", `${usdc}0`],
  ["without 0x", usdc.slice(2)],
  ["with 0X", `0X${usdc.slice(2)}`],
  ["not hex", `${usdc.slice(0, -1)}g`],
  ["a number", 12],
  ["nothing", null],
])("an address %s is refused at its field", async (_, address) => {
  const token = await expectNothing(
    () => player.browser.ask("propose", { body: { ...offer, token: address } }),
    400,
    "request_invalid",
  );
  expect(token.body.errors[0].pointer).toBe("/token");
  const opponent = await expectNothing(
    () => player.browser.ask("propose", { body: { ...offer, opponent: { address } } }),
    400,
    "request_invalid",
  );
  expect(opponent.body.errors[0].pointer).toBe("/opponent/address");
});

test("a checksummed address and its lower case are the same token", async () => {
  const body = { ...offer, token: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913" };
  const made = await player.browser.get("propose", { body });
  expect(made.proposerStake.token).toBe(usdc);
});

test("an unknown field is refused, in the body, in an inner object and in the query", async () => {
  const body = await expectNothing(
    () => player.browser.ask("propose", { body: { ...offer, rakeBps: 0 } }),
    400,
    "request_invalid",
  );
  expect(body.body.errors).toEqual([{ pointer: "/rakeBps", detail: "There is no such field." }]);
  const inner = await expectNothing(
    () => player.browser.ask("propose", { body: { ...offer, opponent: { handle: "marcus", id: "1" } } }),
    400,
    "request_invalid",
  );
  expect(inner.body.errors).toEqual([{ pointer: "/opponent/id", detail: "There is no such field." }]);
  const query = await expectNothing(
    () => player.browser.ask("listGames", { query: { player: "1" } }),
    400,
    "request_invalid",
  );
  expect(query.body.errors).toEqual([{ pointer: "/query/player", detail: "There is no such field." }]);
});

const text = JSON.stringify(offer);
test.each([
  ["__proto__", `{"__proto__":{"rakeBps":0},${text.slice(1)}`],
  ["__proto__ written in escapes", `{"\\u005f_proto__":{"rakeBps":0},${text.slice(1)}`],
  ["a constructor's prototype", `{"constructor":{"prototype":{"rakeBps":0}},${text.slice(1)}`],
  ["a field twice", `{"proposerStake":"1",${text.slice(1)}`],
  ["a field twice, once in escapes", `{"proposerSt\\u0061ke":"1",${text.slice(1)}`],
  ["a field twice in an inner object", text.replace("null", '{"handle":"marcus","handle":"dana"}')],
  ["half an object", text.slice(0, -1)],
  ["two objects", text + text],
  ["a comment", `/* hello */${text}`],
  ["an array", `[${text}]`],
  ["a string", JSON.stringify(text)],
  ["null", "null"],
  ["nothing", ""],
  ["10,000 arrays in one another", "[".repeat(10_000) + "]".repeat(10_000)],
])("a body with %s is refused", async (_, body) => {
  await expectNothing(() => player.browser.ask("propose", { body }), 400, "request_invalid");
});

test("a quote or colon inside of a text doesn't count as a field", async () => {
  const body = { ...offer, terms: 'Best of 3, "house rules": no {"terms":"x"} tricks' };
  expect((await player.browser.ask("propose", { body })).status).toBe(200);
});

test("a body of a megabyte is refused before it is read", async () => {
  const body = { ...offer, terms: "x".repeat(1_000_000) };
  await expectNothing(() => player.browser.ask("propose", { body }), 413, "body_too_large");
});

test.each([
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/xml",
  "application/json-patch+json",
  "",
])("content of type %j is refused, as a form of another page would send it", async (type) => {
  await expectNothing(
    () => player.browser.ask("propose", { body: offer, headers: { "content-type": type } }),
    415,
    "content_type_unsupported",
  );
});

test.each([
  ["another page", { origin: "https://evil.example" }],
  ["a page that hides where it is", { origin: "null" }],
  ["this host on another port", { origin: "http://localhost:4201" }],
  ["this host over https", { origin: "https://localhost:4200" }],
  ["nobody knows where, with a cookie", { origin: undefined }],
])("a write from %s is refused", async (_, headers) => {
  await expectNothing(() => player.browser.ask("propose", { body: offer, headers }), 403, "origin_refused");
  await expectNothing(() => player.browser.ask("logout", { headers }), 403, "origin_refused");
  await expectNothing(
    () => player.browser.ask("createChallenge", { body: { address: player.account.address }, headers }),
    403,
    "origin_refused",
  );
  await player.browser.get("readMe");
});

test("a program without cookies may ask without naming a page", async () => {
  const program = site.browser();
  const body = { address: player.account.address };
  expect((await program.ask("createChallenge", { body, headers: { origin: undefined } })).status).toBe(200);
});

test("what isn't there is a problem too, whatever the method", async () => {
  for (const method of ["GET", "POST", "PUT", "DELETE"] as const) {
    const answer = await player.browser.send({ method, url: "/api/nothing" });
    expect(answer).toMatchObject({ status: 404, body: { code: "not_found", status: 404 } });
  }
  expect((await player.browser.send({ method: "GET", url: "/api/%ff" })).body).toMatchObject({
    code: "request_invalid",
  });
  expect((await player.browser.ask("readGame", { params: { id: "1 OR 1=1" } })).status).toBe(400);
});

test("a body that never ends is cut off, and the process answers others meanwhile", async () => {
  await site.app.listen({ host: "127.0.0.1", port: 0 });
  const address = site.app.server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  const socket = connect(address.port, "127.0.0.1");
  const heard: Buffer[] = [];
  socket.on("data", (part) => heard.push(part));
  // The last drop may come after the end.
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(
    `POST /api/auth/challenge HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"address":"`,
  );
  // Eight minutes' worth, and more than a test may last.
  const dripping = setInterval(() => socket.write("0"), 500);
  const other = await fetch(`http://127.0.0.1:${address.port}/health/live`);
  expect(other.status).toBe(200);
  await ended;
  clearInterval(dripping);
  const answer = Buffer.concat(heard).toString();
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('"code":"request_timeout"');
});

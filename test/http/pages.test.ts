/** The web client's pages, and what a browser is told about them. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "on-the-rail-web-"));
  await mkdir(join(directory, "assets"));
  await writeFile(join(directory, "index.html"), "<!doctype html><title>the client</title>");
  await writeFile(join(directory, "overlay.html"), "<!doctype html><title>the overlay</title>");
  await writeFile(join(directory, "assets/index-abc123.js"), "export {};");
  await writeFile(join(directory, ".env"), "SECRET=1");
  site = await openSite({ webDirectory: directory });
});
afterAll(async () => {
  await site?.end();
  await rm(directory, { recursive: true, force: true });
});
const page = (url: string) => site.app.inject({ url });

test.each([
  "/",
  "/play",
  "/deposit",
  "/terms",
  "/g/7",
  "/live/marcus",
  "/leaderboard",
  "/p/marcus",
  "/operator",
])("%s is the client", async (url) => {
  const answer = await page(`${url}?from=a-friend`);
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toContain("the client");
  expect(answer.headers["content-type"]).toMatch(/^text\/html/);
  expect(answer.headers["cache-control"]).toBe("no-cache");
});

test("the overlay is a page of its own", async () => {
  expect((await page("/overlay/marcus?token=secret&side=bottom")).body).toContain("the overlay");
});

test("a file that is named by its content is kept for ever", async () => {
  const asset = await page("/assets/index-abc123.js");
  expect(asset.statusCode).toBe(200);
  expect(asset.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(asset.headers["content-type"]).toMatch(/javascript/);
});

test.each([
  "/nothing",
  "/assets/nothing.js",
  "/.env",
  "/assets/../../package.json",
  "/%2e%2e/package.json",
  "/assets",
])("%s is nowhere", async (url) => {
  const answer = await page(url);
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toMatchObject({ code: "not_found" });
});

test("a browser at a wrong address gets the client, which says so; machines and files get the problem", async () => {
  const browser = (url: string) =>
    site.app.inject({ url, headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
  const nowhere = await browser("/nope");
  expect(nowhere.statusCode).toBe(404);
  expect(nowhere.body).toContain("the client");
  expect(nowhere.headers["content-type"]).toMatch(/^text\/html/);
  for (const url of ["/api/nothing", "/docs/nothing", "/metrics/nothing", "/assets/nothing.js"])
    expect((await browser(url)).json()).toMatchObject({ code: "not_found" });
});

test.each(["/", "/api/config", "/docs/", "/api/nothing"])(
  "%s runs our script only and is framed by nobody",
  async (url) => {
    const { headers } = await page(url);
    const policy = String(headers["content-security-policy"]).split(";");
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'self'",
        "connect-src 'self' ws://localhost:4200",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy.filter((rule) => rule.includes("unsafe"))).toEqual(["style-src 'self' 'unsafe-inline'"]);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin-allow-popups",
    });
    expect(headers["strict-transport-security"]).toBeUndefined();
  },
);

test("answers of the API are kept by nobody", async () => {
  expect((await page("/api/config")).headers["cache-control"]).toBe("no-store");
});

test("over https the browser is told to stay there", async () => {
  const secure = await openSite({ settings: { publicOrigin: "https://rail.example" } });
  try {
    const { headers } = await secure.app.inject({ url: "/api/config" });
    expect(headers["strict-transport-security"]).toBe("max-age=31536000");
    expect(headers["content-security-policy"]).toContain("connect-src 'self' wss://rail.example;");
  } finally {
    await secure.end();
  }
});

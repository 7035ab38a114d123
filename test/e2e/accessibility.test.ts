/** Every screen and dialog against the bar: WCAG 2.2 AA by axe, 44 px targets, 320 px, 200 % zoom, keyboard alone. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ApiClient } from "../../scripts/client/api.ts";
import { type LocalEngine, startLocalEngine } from "../../scripts/local/engine.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";
import { launchBrowser } from "../helpers/browser.ts";
import { waitFor } from "../helpers/wait.ts";
import { expectNoComplaints, openBrowser, type Person } from "./actor.ts";
import { type FullHouse, fillHouse } from "./full-house.ts";
import {
  axeViolations,
  focused,
  keyboardProblems,
  sidewaysScroll,
  smallTargets,
  stillness,
  wrongAtRest,
} from "./page-checks.ts";

let dataDir: string;
let engine: LocalEngine;
let browser: Browser;
let house: FullHouse;
let visitor: Person;
let player: Person;
let newcomer: Person;
let operator: Person;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-accessibility-"));
  [engine, browser] = await Promise.all([
    startLocalEngine({ dataDir, port: 0, persist: false, blockTimeSeconds: 1, logLevel: "error" }),
    launchBrowser(),
  ]);
  house = await fillHouse(engine);
  visitor = await openBrowser(browser, engine.origin);
  player = await openSignedIn(house.marcus.api);
  newcomer = await openSignedIn(house.newcomer);
  operator = await openSignedIn(house.operator.api);
});
afterAll(async () => {
  house?.close();
  await browser?.close();
  await engine?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function openSignedIn(api: ApiClient): Promise<Person> {
  const person = await openBrowser(browser, engine.origin);
  const cookies = api.cookieHeader.split("; ").map((pair) => {
    const at = pair.indexOf("=");
    return { name: pair.slice(0, at), value: pair.slice(at + 1), url: engine.origin };
  });
  await person.page.context().addCookies(cookies);
  return person;
}

const desktop = { width: 1280, height: 900 };
/** 1280 px at 200 % zoom. */
const zoomed = { width: 640, height: 450 };
/** The narrowest that must do; 1280 px at 400 % zoom. */
const narrow = { width: 320, height: 640 };

/** Measures the page as it stands, in each of the three sizes. */
async function expectAccessible(page: Page, what: string): Promise<void> {
  const found: Record<string, string[]> = {};
  for (const size of [desktop, zoomed, narrow]) {
    await page.setViewportSize(size);
    const at = `${what} at ${size.width} px`;
    // No colour depends on the width, and measuring them takes most of the time.
    if (size === desktop) found[`${at}: axe`] = await wrongAtRest(page, axeViolations);
    if (size === narrow)
      found[`${at}: axe`] = await wrongAtRest(page, () => axeViolations(page, ["color-contrast"]));
    found[`${at}: sideways`] = await wrongAtRest(page, sidewaysScroll);
    found[`${at}: targets`] = await wrongAtRest(page, smallTargets);
  }
  await page.setViewportSize(desktop);
  const wrong = Object.fromEntries(Object.entries(found).filter(([, problems]) => problems.length > 0));
  expect.soft(wrong).toEqual({});
}

/** Opens an address and waits until all of it is there. */
async function open({ page }: Person, path: string): Promise<Page> {
  await page.goto(path);
  await page.locator("h1").first().waitFor({ state: "attached" });
  await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
  await stillness(page);
  return page;
}

it("a visitor's screens and the sign-in dialog", async () => {
  const { marcus, playing } = house;
  for (const path of [
    "/",
    "/play",
    "/deposit",
    "/terms",
    "/leaderboard",
    `/p/${marcus.handle}`,
    "/p/me",
    `/g/${playing}`,
    `/live/${marcus.handle}`,
    "/operator",
  ])
    await expectAccessible(await open(visitor, path), `visitor ${path}`);
  const page = await open(visitor, "/");
  await page.getByRole("button", { name: "Sign in" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Dev wallet 1" }).waitFor();
  await expectAccessible(page, "the sign-in dialog");
  expectNoComplaints(visitor);
});

it("the terms dialog, for who hasn't accepted them", async () => {
  const page = await open(newcomer, "/deposit");
  await expectAccessible(page, "/deposit before the terms");
  await page.getByRole("button", { name: "Read and accept the terms" }).click();
  await page.getByRole("dialog").waitFor();
  await expectAccessible(page, "the terms dialog");
  expectNoComplaints(newcomer);
});

it("a player's offers: the composer with its errors, the counter form, what is over, the history", async () => {
  const page = await open(player, "/play");
  await page.getByText("Token, clocks and referee").click();
  await page.getByText(/^Over:/).click();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: "Counter" }).first().click();
  await page.getByRole("form", { name: /^Counter/ }).waitFor();
  await expectAccessible(page, "/play");
  expectNoComplaints(player);
});

it("a player's money and settings: deposit, withdraw with its error, overlay link, wallets", async () => {
  const page = await open(player, "/deposit");
  await page.getByText("Haven't").first().click();
  await page.getByRole("form", { name: "Withdraw" }).getByRole("button", { name: "Withdraw" }).click();
  await expectAccessible(page, "/deposit");
  await open(player, "/p/me");
  await page.getByRole("button", { name: "Link another wallet" }).click();
  await page.getByRole("button", { name: "Dev wallet 1" }).waitFor();
  await page.getByRole("button", { name: "Make overlay link" }).click();
  await page.getByRole("button", { name: "Copy overlay link" }).waitFor();
  await expectAccessible(page, "/p/me");
  expectNoComplaints(player);
});

it("a token out of play: no link fills in amounts meant in it, nothing new begins in it, and it can be withdrawn", async () => {
  const person = await openSignedIn(house.marcus.api);
  await person.page.route("**/api/config", async (route) => {
    const response = await route.fetch();
    const config = await response.json();
    for (const token of config.tokens) token.listed = token.symbol !== "USDC";
    await route.fulfill({ response, json: config });
  });
  const page = await open(person, `/play?own=500&their=400&terms=Again&token=${usdcAddress}`);
  await page.getByText("USDC was taken out of play.").waitFor();
  const composer = page.getByRole("form", { name: "Make an offer" });
  expect(await composer.getByLabel("Terms").inputValue()).toBe("Again");
  for (const box of ["You put up", "They put up"])
    expect(await composer.getByLabel(box).inputValue()).toBe("");
  await page
    .getByRole("button", { name: /^Take it for/ })
    .first()
    .waitFor();
  expect(await page.getByRole("button", { name: "Counter" }).count()).toBe(0);
  await open(person, `/g/${house.settled}`);
  expect(await page.getByRole("link", { name: "Rematch" }).count()).toBe(0);
  await open(person, `/deposit?amount=500&token=${usdcAddress}`);
  await page.getByText("USDC was taken out of play.", { exact: true }).waitFor();
  await page.getByRole("combobox", { name: "Token" }).selectOption({ label: "USDC" });
  await page.getByText("What you have of it can be withdrawn.").waitFor();
  await expectAccessible(page, "/deposit with a token out of play");
  expectNoComplaints(person);
  await person.close();
});

it("a player's games: reporting, disputing, settled", async () => {
  const { playing, disputed, settled } = house;
  const page = await open(player, `/g/${playing}`);
  await page.getByRole("button", { name: "Report result" }).click();
  await expectAccessible(page, "reporting a game");
  await expectAccessible(await open(player, `/g/${disputed}`), "a disputed game");
  await expectAccessible(await open(player, `/g/${settled}`), "a settled game");
  await expectAccessible(await open(player, `/live/${settled}`), "the live page of a settled game");
  expectNoComplaints(player);
});

it("the operator's four tabs, with something in each", async () => {
  const page = await open(operator, "/operator");
  for (const tab of ["Disputes", "Money", "Rooms", "Health"]) {
    await page.getByRole("tab", { name: tab }).click();
    await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
    if (tab === "Money") {
      await page.getByRole("button", { name: "Dry run" }).click();
      await page.getByRole("form", { name: "Sweep plan" }).waitFor();
      await page.getByRole("form", { name: /^Credit a player/ }).waitFor();
      await page.getByRole("form", { name: /^Give back withdrawal/ }).waitFor();
    }
    if (tab === "Health") await page.getByRole("form", { name: /^Thaw escrow wallet/ }).waitFor();
    await expectAccessible(page, `/operator ${tab}`);
  }
  expectNoComplaints(operator);
});

it("what an operator has done is said, and the keyboard stays where it was done", async () => {
  const page = await open(operator, "/operator");
  await page.getByRole("button", { name: "1 wallet frozen" }).click();
  const thaw = page.getByRole("form", { name: /^Thaw escrow wallet/ });
  await thaw.getByLabel("Reason").fill("Looked at: it is ours.");
  await page.keyboard.press("Enter");
  await page
    .getByRole("status")
    .filter({ hasText: /^Thawed: escrow wallet \d+$/ })
    .waitFor();
  await page.getByText("None is frozen.").waitFor();
  await thaw.waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement.textContent")).toBe("Frozen wallets");
  expectNoComplaints(operator);
});

it("an overlay with an offer on it", async () => {
  const person = await openBrowser(browser, engine.origin);
  await person.page.setViewportSize({ width: 1920, height: 1080 });
  const { path } = await house.marcus.api.call("rotateOverlay");
  await person.page.goto(path);
  await person.page.locator("[data-scene]").waitFor();
  expect(await wrongAtRest(person.page, axeViolations)).toEqual([]);
  expect(await wrongAtRest(person.page, sidewaysScroll)).toEqual([]);
  expectNoComplaints(person);
  await person.close();
});

it("Tab comes to every control, there and back, and what has the focus is always in sight", async () => {
  const found: Record<string, string[]> = {};
  for (const [person, path] of [
    [player, "/play"],
    [player, `/g/${house.disputed}`],
    [player, "/p/me"],
    [operator, "/operator"],
  ] as const) {
    const page = await open(person, path);
    await page.setViewportSize(zoomed);
    for (const key of ["Tab", "Shift+Tab"] as const) {
      const problems = await keyboardProblems(page, key);
      if (problems.length > 0) found[`${path} by ${key}`] = problems;
    }
    await page.setViewportSize(desktop);
  }
  expect(found).toEqual({});
});

/** Presses Tab until the control of that name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  for (let stops = 0; stops < 60; stops += 1) {
    await page.keyboard.press("Tab");
    const focus = await focused(page);
    if (focus?.name === name) return;
    passed.push(focus?.name ?? "the end");
  }
  throw new Error(`Tab doesn't come to ${name}, only to ${passed.join(", ")}`);
}

/** What has opened takes the focus a moment after it is there. */
const focusIsOn = (page: Page, name: string): Promise<unknown> =>
  waitFor(async () => (await focused(page))?.name === name, { what: `the focus on ${name}` });

it("by Tab, Enter and arrows alone a player makes an offer, looks at a counter, and reports a game", async () => {
  const page = await open(player, "/");
  await tabTo(page, "Make an offer");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/play");
  await page.getByLabel("You put up").first().waitFor();
  await tabTo(page, "You put up");
  await page.keyboard.type("3");
  await tabTo(page, "They put up");
  await page.keyboard.type("2");
  await tabTo(page, "Terms");
  await page.keyboard.type("Keys only");
  await tabTo(page, "Token, clocks and referee");
  await page.keyboard.press("Enter");
  await tabTo(page, "Lapses after");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "Send");
  await page.keyboard.press("Enter");
  const card = page.getByRole("article", { name: /Keys only/ });
  await card.waitFor();
  await tabTo(page, "Counter");
  await page.keyboard.press("Enter");
  await page.getByRole("form", { name: /^Counter/ }).waitFor();
  await focusIsOn(page, "You put up");
  await tabTo(page, "Back");
  await page.keyboard.press("Enter");
  await focusIsOn(page, "Counter");

  await open(player, `/g/${house.playing}`);
  await tabTo(page, "Report result");
  await page.keyboard.press("Enter");
  await focusIsOn(page, "I won");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  expect(await focused(page)).toEqual({ name: "I won", tag: "input", problem: null });
  await tabTo(page, "Send report");
  await page.keyboard.press("Enter");
  await page.getByText("You said: You won.").waitFor();
  expectNoComplaints(player);
});

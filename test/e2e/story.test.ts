import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { Address } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { balanceOnChain } from "../../scripts/demo/checks.ts";
import { developmentAccounts } from "../../scripts/local/accounts.ts";
import { type LocalEngine, startLocalEngine } from "../../scripts/local/engine.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";
import { launchBrowser } from "../helpers/browser.ts";
import { waitFor } from "../helpers/wait.ts";
import { deposit, expectNoComplaints, openBrowser, report, setHandle, signIn } from "./actor.ts";
import { watchOverlay } from "./overlay.ts";

const houseAddress: Address = "0x4ba550190e5793752c4248098ebb85c977815ddc";
const usdc = (whole: number): bigint => BigInt(whole) * 1_000_000n;
let dataDir: string;
let engine: LocalEngine;
let browser: Browser;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-story-"));
  [engine, browser] = await Promise.all([
    startLocalEngine({ dataDir, port: 0, persist: false, blockTimeSeconds: 1, logLevel: "error" }),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await engine?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const walletOf = (index: number): Address => {
  const account = developmentAccounts[index];
  if (account === undefined) throw new Error(`no development account ${index}`);
  return account.address;
};
const held = (address: Address): Promise<bigint> => balanceOnChain(engine.rpcUrl, usdcAddress, address);

it("two players sign in, deposit, offer, counter, take, report and are paid; the rest is withdrawn, the rake swept, the overlay showed it, and the chain agrees to the unit", async () => {
  const [marcus, ana, operator] = [
    await openBrowser(browser, engine.origin),
    await openBrowser(browser, engine.origin),
    await openBrowser(browser, engine.origin),
  ];
  const before = {
    marcus: await held(walletOf(1)),
    ana: await held(walletOf(2)),
    house: await held(houseAddress),
  };

  await signIn(marcus, "Dev wallet 1");
  await setHandle(marcus, "marcus");
  await signIn(ana, "Dev wallet 2");
  await setHandle(ana, "ana");
  const overlay = await watchOverlay(browser, ana, engine.origin);
  await ana.page.goto("/p/me");
  const toWallet = ana.page
    .getByRole("region", { name: "Where winnings go" })
    .getByRole("radio", { name: /wallet/i });
  await toWallet.click();
  await waitFor(() => toWallet.isChecked(), { what: "Ana's choice to be kept" });
  await deposit(marcus, "80.00");
  await deposit(ana, "100.00");

  await marcus.page.goto("/play");
  await marcus.page.getByLabel("In one line").fill("50 to 10 @ana first to 21");
  await marcus.page.getByRole("button", { name: "Send", exact: true }).click();
  await ana.page.goto("/play");
  await ana.page
    .getByRole("article", { name: /first to 21/i })
    .getByRole("button", { name: "Counter" })
    .click();
  const counter = ana.page.getByRole("form", { name: /Counter/ });
  await counter.getByLabel("You put up").fill("20.00");
  await counter.getByLabel("They put up").fill("60.00");
  await counter.getByLabel("Terms").fill("First to 21, win by two");
  await counter.getByRole("button", { name: "Send counter" }).click();

  await marcus.page
    .getByRole("article", { name: /win by two/ })
    .getByRole("button", { name: /^Take it for 60/ })
    .click();
  await marcus.page.waitForURL(/\/g\//);
  const gamePath = new URL(marcus.page.url()).pathname;
  await ana.page.goto(gamePath);

  await waitFor(() => overlay.shown.has("locked"), {
    what: "the pot to be in its wallet",
    timeoutMs: 60_000,
  });

  await report(marcus, "ana won");
  await ana.page.getByRole("button", { name: /^Confirm/ }).click();
  await ana.page.getByText(/^Paid/).first().waitFor();

  await marcus.page.goto("/deposit");
  const form = marcus.page.getByRole("form", { name: "Withdraw" });
  await form.getByLabel("Amount to withdraw").fill("20.00");
  await form.getByRole("button", { name: "Withdraw" }).click();
  await waitFor(async () => (await held(walletOf(1))) === before.marcus - usdc(60), {
    what: "the withdrawal on the chain",
    timeoutMs: 60_000,
  });

  await signIn(operator, "Dev wallet operator");
  await operator.page.goto("/operator");
  await operator.page.getByRole("tab", { name: "Money" }).click();
  await operator.page.getByRole("radio", { name: "USDC" }).first().check();
  const plan = operator.page.getByRole("form", { name: "Sweep plan" });
  await waitFor(
    async () => {
      await operator.page.getByRole("button", { name: "Dry run" }).click();
      return plan.getByLabel("Type the amount to confirm").isVisible();
    },
    { what: "rake that is free", timeoutMs: 60_000, everyMs: 500 },
  );
  await plan.getByLabel("Type the amount to confirm").fill("4.00");
  await plan.getByRole("button").click();
  await waitFor(async () => (await held(houseAddress)) === before.house + usdc(4), {
    what: "the sweep on the chain",
    timeoutMs: 60_000,
  });

  expect(await held(walletOf(1))).toBe(before.marcus - usdc(60));
  expect(await held(walletOf(2))).toBe(before.ana - usdc(100) + usdc(76));
  await waitFor(async () => (await held(engine.vaultAddress as Address)) === usdc(80), {
    what: "what was deposited and not paid out to be in the vault",
    timeoutMs: 30_000,
  });
  await waitFor(() => overlay.shown.has("paid"), {
    what: "the overlay to show that it was paid",
    timeoutMs: 30_000,
  });
  expect([...overlay.shown]).toEqual(
    expect.arrayContaining(["offer", "countered", "taken", "locked", "result", "paid"]),
  );
  expectNoComplaints(marcus, ana, operator, overlay.person);
});

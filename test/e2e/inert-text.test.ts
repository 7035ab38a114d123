/** What players write is shown as they wrote it, and does nothing, wherever it is shown. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { Address } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ApiError } from "../../scripts/client/api.ts";
import { type Actor, enter } from "../../scripts/demo/actors.ts";
import { mintToken } from "../../scripts/local/accounts.ts";
import { type LocalEngine, startLocalEngine } from "../../scripts/local/engine.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";
import { launchBrowser } from "../helpers/browser.ts";
import { expectNoComplaints, openBrowser } from "./actor.ts";

let dataDir: string;
let engine: LocalEngine;
let browser: Browser;
let marcus: Actor;
let ana: Actor;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-inert-"));
  [engine, browser] = await Promise.all([
    startLocalEngine({ dataDir, port: 0, persist: false, blockTimeSeconds: 1, logLevel: "error" }),
    launchBrowser(),
  ]);
  const { origin, rpcUrl } = engine;
  marcus = await enter({ origin, rpcUrl, accountIndex: 1, handle: "marcus" });
  ana = await enter({ origin, rpcUrl, accountIndex: 2, handle: "ana" });
  for (const actor of [marcus, ana]) {
    const { address } = await actor.api.call("readDepositAddress");
    await mintToken(rpcUrl, usdcAddress, address as Address, 50_000_000n);
    await actor.live.until("deposit:update", ({ deposit }) => deposit.state === "final");
  }
});
afterAll(async () => {
  for (const actor of [marcus, ana]) actor?.live.close();
  await browser?.close();
  await engine?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const propose = (terms: string) =>
  marcus.api.call("propose", {
    body: {
      opponent: null,
      token: usdcAddress,
      proposerStake: "1000000",
      takerStake: "2000000",
      terms,
      lapseSeconds: 3_600,
      expectedMinutes: 60,
    },
  });

const hostile = [
  `<img src=x onerror="document.title='taken'">`,
  `<script>document.title='taken'</script>`,
  `"><svg onload=document.title='taken'>`,
  `javascript:document.title='taken'`,
  "{{7*7}} %s \\u003cb\\u003e &lt;b&gt;",
];

it("terms that look like a page's own code are shown letter by letter, on every screen and in the overlay", async () => {
  const offers = [];
  for (const terms of hostile) offers.push(await propose(terms));
  const [first] = offers;
  if (first === undefined) throw new Error("nothing was offered");
  const { path } = await marcus.api.call("rotateOverlay");
  const watcher = await openBrowser(browser, engine.origin);
  const overlay = await openBrowser(browser, engine.origin);
  await overlay.page.goto(`${path}&delay=0`);
  await overlay.page.waitForFunction("!location.search.includes('token')");

  await watcher.page.goto("/");
  for (const terms of hostile) await watcher.page.getByText(terms).first().waitFor();
  const { gameId } = await ana.api.call("acceptProposal", { params: { id: first.id } });
  await overlay.page
    .getByText(hostile[0] ?? "", { exact: false })
    .first()
    .waitFor();
  for (const path of [`/g/${gameId}`, `/live/${marcus.handle}`]) {
    await watcher.page.goto(path);
    await watcher.page
      .getByText(hostile[0] ?? "", { exact: false })
      .first()
      .waitFor();
  }
  for (const { page } of [watcher, overlay]) expect(await page.title()).not.toBe("taken");
  expectNoComplaints(watcher, overlay);
});

it("what hides, turns the reading direction or pretends to be another is refused with the field", async () => {
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => null,
      (failure: unknown) => failure,
    );
    if (!(error instanceof ApiError)) throw new Error("nothing was refused");
    return `${error.problem.status} ${error.problem.errors?.[0]?.pointer ?? error.problem.code}`;
  };
  const [zeroWidth, override, nul] = ["\u200b", "\u202e", "\u0000"];
  for (const terms of [
    `First${zeroWidth} to 21`,
    `${override}12 ot tsriF`,
    `First${nul}`,
    "🥊".repeat(10_000),
  ])
    expect([terms.slice(0, 12), await refusal(propose(terms))]).toEqual([terms.slice(0, 12), "400 /terms"]);
  for (const handle of ["mаrcus", "marcus\u200d", "<b>ana</b>", "аna", "𝐦arcus", "MARCUS"])
    expect([handle, await refusal(ana.api.call("changeMe", { body: { handle } }))]).toEqual([
      handle,
      handle === "MARCUS" ? "409 /handle" : "400 /handle",
    ]);
});

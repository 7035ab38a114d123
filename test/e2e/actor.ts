/** A person at a browser of their own, who does what people do and nothing that they can't. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";

export interface Person {
  page: Page;
  /** Everything that the page complained about; a story ends with none. */
  complaints: string[];
  close(): Promise<void>;
}

/** Only a failure takes so long. */
const ownTimeoutMs = 90_000;

export async function openBrowser(browser: Browser, origin: string): Promise<Person> {
  const context: BrowserContext = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    baseURL: origin,
  });
  context.setDefaultTimeout(ownTimeoutMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // Asking who is signed in answers 401 to a stranger, which the browser prints as a failed resource.
    const isExpected = message.text().includes("401");
    if (message.type() === "error" && !isExpected) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:"))
      complaints.push(`a request to another host: ${request.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}

/** Signs in with a development wallet through the dialog, and accepts the terms where money asks for them. */
export async function signIn({ page }: Person, wallet: string): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: "Sign in" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: wallet }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.goto("/deposit");
  await page.getByRole("button", { name: "Read and accept the terms" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "I accept" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
}

export async function setHandle({ page }: Person, handle: string): Promise<void> {
  await page.goto("/p/me");
  const form = page.getByRole("form", { name: "Your handle" });
  await form.getByLabel("Handle").fill(handle);
  await form.getByRole("button").first().click();
  await page.getByRole("link", { name: handle }).first().waitFor();
}

/** Pays from the wallet in the browser and waits until all of it may leave again. */
export async function deposit({ page }: Person, amount: string): Promise<void> {
  await page.goto("/deposit");
  await page.getByRole("radio", { name: "USDC" }).check();
  await page.getByLabel("Amount to deposit").fill(amount);
  await page.getByRole("button", { name: `Pay ${amount} from this wallet` }).click();
  await page.getByRole("form", { name: "Withdraw" }).getByText(amount).nth(1).waitFor();
}

export async function report({ page }: Person, outcome: string): Promise<void> {
  await page.getByRole("button", { name: "Report result" }).click();
  await page.getByRole("radio", { name: outcome }).check();
  await page.getByRole("button", { name: "Send report" }).click();
}

export function expectNoComplaints(...people: Person[]): void {
  expect(people.flatMap(({ complaints }) => complaints)).toEqual([]);
}

import { type Browser, chromium } from "playwright-core";
import { findChromium } from "../../scripts/local/chromium.ts";

/** A headless Chromium. Each `newContext()` of it is a browser of its own to the sites it visits. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ ...(await findChromium()), headless: true });
}

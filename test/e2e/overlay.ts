/** A stream's overlay in a browser of its own, with everything that it showed. */
import type { Browser } from "playwright-core";
import { openBrowser, type Person } from "./actor.ts";

export interface WatchedOverlay {
  person: Person;
  /** The scenes that were shown so far. */
  shown: Set<string>;
}

/** Runs in the page: tells of each scene as it is drawn. Plain text, since a function would be changed on its way. */
const observer = `
  const told = new Set();
  new MutationObserver(() => {
    const scene = document.querySelector("[data-scene]")?.dataset.scene;
    if (scene && !told.has(scene)) { told.add(scene); window.tellScene(scene); }
  }).observe(document, { childList: true, subtree: true, attributes: true });
`;

/** Makes an overlay link on the player's own page and opens it, as OBS would. */
export async function watchOverlay(
  browser: Browser,
  player: Person,
  origin: string,
): Promise<WatchedOverlay> {
  await player.page.goto("/p/me");
  await player.page.getByRole("button", { name: "Make overlay link" }).click();
  const link = player.page.getByText(/\/overlay\/\S+token=/).first();
  const url = new URL((await link.innerText()).trim(), origin);
  url.searchParams.set("delay", "0");

  const person = await openBrowser(browser, origin);
  const shown = new Set<string>();
  await person.page.exposeFunction("tellScene", (scene: string) => shown.add(scene));
  await person.page.addInitScript({ content: observer });
  await person.page.goto(url.href);
  await person.page.waitForFunction("!location.search.includes('token')");
  return { person, shown };
}

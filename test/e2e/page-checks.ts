/** What WCAG 2.2 AA and our own bar ask of a page, measured in the browser. Each answers what is wrong; nothing is right. */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** `without`: rules that needn't be tried again. */
export async function axeViolations(page: Page, without: string[] = []): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .options({ resultTypes: ["violations"] })
    .withTags(standards)
    .disableRules(without)
    .setLegacyMode()
    .analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
  );
}

/** What moves is begun by a frame that is drawn, and the end of one movement may be the beginning of another. */
const atRest = `(async () => {
  await document.fonts.ready;
  for (let still = 0; still < 2; ) {
    await new Promise((drawn) => requestAnimationFrame(drawn));
    const moving = document.getAnimations().filter(({ playState }) => playState === "running");
    await Promise.allSettled(moving.map(({ finished }) => finished));
    still = moving.length === 0 ? still + 1 : 0;
  }
})()`;

/** A card that is still turning is smaller than it will be. */
export async function stillness(page: Page): Promise<void> {
  await page.evaluate(atRest);
}

/**
 * What a page at rest has wrong with it. It goes on living while it is measured (a block comes, a card turns), so that
 * only what is wrong again a moment later counts.
 */
export async function wrongAtRest(page: Page, measure: (page: Page) => Promise<string[]>): Promise<string[]> {
  await stillness(page);
  const found = await measure(page);
  if (found.length === 0) return found;
  await stillness(page);
  return measure(page);
}

/** Runs in the page. Plain text, since a function would be changed on its way. */
const tooWide = `(() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left >= 0 && right > room + 0.5;
  });
  return wide.map((element) => element.outerHTML.slice(0, 120)).concat(
    "the page is " + document.documentElement.scrollWidth + " px wide in " + room);
})()`;

export async function sidewaysScroll(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(tooWide);
}

/**
 * A control's target is its own box; a radio button's is its label, which is what is drawn. Out of the count are links
 * in running text, as in the standard, and what is off the screen until it has the focus.
 */
const controlsInPage = `
  const controls = "a[href], button, input, select, textarea, summary, [role=tab]";
  const isShown = (element) => {
    const { width, height, right, bottom } = element.getBoundingClientRect();
    return element.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1
      && right > 0 && bottom + window.scrollY > 0;
  };
  const isInText = (element) => {
    if (getComputedStyle(element).display !== "inline") return false;
    let block = element.parentElement;
    while (getComputedStyle(block).display === "inline") block = block.parentElement;
    const around = [...block.childNodes].map((node) =>
      node.contains(element) || node.nodeType !== Node.TEXT_NODE && node.matches?.(controls) ? "" : node.textContent);
    return /[a-z]{2}/i.test(around.join(""));
  };
`;
const tooSmall = (leastPx: number): string => `(() => {
  ${controlsInPage}
  return [...document.querySelectorAll(controls)]
    .filter((element) => isShown(element) && !isInText(element))
    .map((element) => [element, (element.closest("label.choice") ?? element).getBoundingClientRect()])
    .filter(([, { width, height }]) => width < ${leastPx} - 0.5 || height < ${leastPx} - 0.5)
    .map(([element, { width, height }]) =>
      Math.round(width) + " by " + Math.round(height) + ": " + element.outerHTML.slice(0, 160));
})()`;

const leastTargetPx = 44;

export async function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(tooSmall(leastTargetPx));
}

/** Where the focus is: null at the page's end; `problem` when it can't be seen. */
const focusInPage = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const choice = element.closest("label.choice");
  const drawn = choice === null ? element : choice.querySelector("span");
  const { left, top, width, height } = drawn.getBoundingClientRect();
  const style = getComputedStyle(drawn);
  const hit = [0.1, 0.5, 0.9].some((part) => {
    const at = document.elementFromPoint(left + Math.min(width / 2, 20), top + height * part);
    return at !== null && (drawn.contains(at) || (choice ?? element).contains(at));
  });
  const problem = style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2 ? "no ring"
    : hit ? null : "hidden behind something";
  const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
  element.dataset.reached = "yes";
  return { name: name.trim().slice(0, 80), tag: element.tagName.toLowerCase(), problem };
})()`;

export interface Focus {
  name: string;
  tag: string;
  problem: string | null;
}

export async function focused(page: Page): Promise<Focus | null> {
  return page.evaluate<Focus | null>(focusInPage);
}

/** What Tab doesn't come to. Of radio buttons and tabs one is enough: the arrows do the rest. */
const unreached = `(() => {
  ${controlsInPage}
  const group = (element) => element.type === "radio" ? element.name
    : element.role === "tab" ? element.parentElement : element;
  const all = [...document.querySelectorAll(controls)].filter(isShown);
  const reached = new Set(all.filter((element) => element.dataset.reached).map(group));
  return all.filter((element) => !reached.has(group(element))).map((element) => element.outerHTML.slice(0, 160));
})()`;

const mostStops = 150;

/** Goes through the page with one key, there and on until the focus leaves it. */
export async function keyboardProblems(page: Page, key: "Tab" | "Shift+Tab"): Promise<string[]> {
  const problems: string[] = [];
  for (let stops = 0; ; stops += 1) {
    if (stops === mostStops) return [...problems, `the focus doesn't leave the page in ${mostStops} steps`];
    await page.keyboard.press(key);
    const focus = await focused(page);
    if (focus === null) break;
    const { tag, name } = focus;
    const wrong = async (): Promise<string[]> => {
      const problem = (await focused(page))?.problem ?? null;
      return problem === null ? [] : [`${problem}: ${tag} ${name}`];
    };
    if (focus.problem !== null) problems.push(...(await wrongAtRest(page, wrong)));
  }
  return [...problems, ...(await page.evaluate<string[]>(unreached)).map((html) => `not reached: ${html}`)];
}

/** Draws scenes as plain elements. Every text goes in as text: names and terms are other people's words. */
import type { OverlayOptions } from "./options.ts";
import type { Scene } from "./scenes.ts";
import { type SceneWords, wordsOf } from "./words.ts";

/** A small tab in the corner: what is wrong with the connection or the link. */
export type Tab = "reconnecting" | "replaced" | "no_key" | null;

const tabWords: Record<Exclude<Tab, null>, string> = {
  reconnecting: "Reconnecting",
  replaced: "Link replaced. Copy the new one from your page.",
  no_key: "This link has no key. Copy it whole from your page.",
};

export interface Stage {
  show: (scene: Scene | null, tab: Tab) => void;
}

/** Takes an element as the stage; it stays empty while there is nothing to show. */
export function createStage(element: HTMLElement, options: OverlayOptions): Stage {
  element.classList.add("overlay");
  element.dataset.side = options.side;
  element.style.setProperty("--safe", `${options.safe}%`);
  element.style.setProperty("--scale", String(options.scale));
  let drawn = "";
  return {
    show(scene, tab) {
      // The same words aren't drawn twice: an idle overlay repaints nothing, and no motion starts again.
      const words = scene === null ? null : wordsOf(scene, options);
      const next = JSON.stringify([scene?.kind, words, tab]);
      if (next === drawn) return;
      drawn = next;
      element.replaceChildren(
        ...(scene === null || words === null ? [] : [card(scene.kind, words)]),
        ...(tab === null ? [] : [node("p", "overlay-tab", tabWords[tab])]),
      );
    },
  };
}

function card(kind: Scene["kind"], words: SceneWords): HTMLElement {
  const section = node("section", `overlay-card overlay-${kind}`);
  section.dataset.scene = kind;
  section.append(
    corner("red", words.red),
    node("p", `overlay-call${words.isWin ? " overlay-win" : ""}`, words.call),
    corner("blue", words.blue),
    node("p", "overlay-terms", words.terms),
    node("p", "overlay-board", words.board === "" ? words.odds : words.board),
  );
  return section;
}

function corner(colour: "red" | "blue", { name, stake }: { name: string; stake: string }): HTMLElement {
  const side = node("div", `overlay-corner overlay-${colour}`);
  side.append(node("span", "overlay-name", name), node("span", "overlay-stake", stake));
  return side;
}

function node(tag: string, className: string, text?: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

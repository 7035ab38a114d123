/** What is read out and shown as a line: the player's money has moved, or would without an answer. */
import type { Deposit, Withdrawal } from "../../../engine/contract/account.ts";
import type { BatchedEvent } from "../../../engine/contract/events.ts";
import { withSymbol } from "../money/show.ts";
import { gameNews, offerNews } from "./wager-news.ts";

export interface Told {
  text: string;
  /** The player has to answer; else it only says what happened. */
  asks: boolean;
  /** Where it is answered or seen. */
  link: { to: "/play" } | { to: "/g/$id"; params: { id: string } } | null;
}
/** One line of news. Several events may bring the same: it is told once a `key`. */
export interface NewsLine extends Told {
  key: string;
}

/** A sentence for the player, or null when the event is nothing to the player's money. */
export function newsOf(event: BatchedEvent, playerId: string): NewsLine | null {
  const told = toldOf(event, playerId);
  return told === null ? null : { key: `${subjectOf(event)} ${told.text}`, ...told };
}

function subjectOf(event: BatchedEvent): string {
  switch (event.name) {
    case "deposit:update":
      return event.data.deposit.id;
    case "withdrawal:update":
      return event.data.withdrawal.id;
    case "proposal:update":
      return event.data.proposal.id;
    case "game:update":
      return event.data.game.id;
    case "game:payout-complete":
      return event.data.gameId;
    default:
      return "";
  }
}

function toldOf(event: BatchedEvent, playerId: string): Told | null {
  switch (event.name) {
    case "proposal:update":
      return offerNews(event.data.proposal, playerId);
    case "game:update":
      return gameNews(event.data.game, playerId);
    default: {
      const text = moneyNews(event, playerId);
      return text === null ? null : { text, asks: false, link: null };
    }
  }
}

function moneyNews(event: BatchedEvent, playerId: string): string | null {
  switch (event.name) {
    case "deposit:update":
      return depositNews(event.data.deposit);
    case "withdrawal:update":
      return withdrawalNews(event.data.withdrawal);
    case "game:payout-complete": {
      const { player, money, to } = event.data.payout;
      return player.id === playerId && to === "wallet" ? `Paid: ${withSymbol(money)} to your wallet.` : null;
    }
    default:
      return null;
  }
}

function withdrawalNews({ state, money }: Withdrawal): string | null {
  if (state === "mined") return `Your ${withSymbol(money)} is in a block on its way to your wallet.`;
  if (state === "final") return `Your ${withSymbol(money)} is in your wallet.`;
  if (state === "parked")
    return `Your ${withSymbol(money)} couldn't be sent. It waits here, and an operator looks at it.`;
  if (state === "cancelled") return `Your ${withSymbol(money)} couldn't leave and is in your pool again.`;
  return null;
}

function depositNews({ state, money }: Deposit): string {
  switch (state) {
    case "seen":
      return `We see ${withSymbol(money)} coming in.`;
    case "playable":
      return `${withSymbol(money)} is in your pool.`;
    case "final":
      return `${withSymbol(money)} is final: you can withdraw it now.`;
    case "orphaned":
      return `The block with your ${withSymbol(money)} fell out of the chain. It isn't credited until it comes back.`;
  }
}

type Listener = () => void;

/** The last line of news; nothing is told twice. */
class News {
  #line: NewsLine | null = null;
  #told = new Set<string>();
  #listeners = new Set<Listener>();

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly line = (): NewsLine | null => this.#line;

  tell(line: NewsLine): void {
    if (this.#told.has(line.key)) return;
    this.#told.add(line.key);
    this.#show(line);
  }
  dismiss(): void {
    this.#show(null);
  }

  #show(line: NewsLine | null): void {
    this.#line = line;
    for (const listener of this.#listeners) listener();
  }
}
export const news = new News();

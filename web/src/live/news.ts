/** What is read out and shown as a line when money has moved. Only money: everything else is on the screen anyway. */
import type { Deposit } from "../../../engine/contract/account.ts";
import type { BatchedEvent } from "../../../engine/contract/events.ts";
import type { Money } from "../../../engine/contract/primitives.ts";
import { withSymbol } from "../money/show.ts";

/** One line of news. Several events may bring the same: it is told once a `key`. */
export interface NewsLine {
  key: string;
  text: string;
}

/** A sentence for the player, or null when the event moved none of the player's money. */
export function newsOf(event: BatchedEvent, playerId: string): NewsLine | null {
  const text = sentenceOf(event, playerId);
  return text === null ? null : { key: `${subjectOf(event)} ${text}`, text };
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

function sentenceOf(event: BatchedEvent, playerId: string): string | null {
  switch (event.name) {
    case "deposit:update":
      return depositNews(event.data.deposit);
    case "withdrawal:update": {
      const { state, money } = event.data.withdrawal;
      if (state === "mined") return `Your ${withSymbol(money)} is in a block on its way to your wallet.`;
      if (state === "final") return `Your ${withSymbol(money)} is in your wallet.`;
      if (state === "parked")
        return `The token refuses your address. Your ${withSymbol(money)} waits for you here.`;
      return null;
    }
    case "proposal:update": {
      const { proposal } = event.data;
      if (proposal.state !== "accepted" || proposal.taker === null) return null;
      if (proposal.proposer.id === playerId) {
        return `${proposal.taker.handle} took it. ${withSymbol(proposal.proposerStake)} of yours is locked.`;
      }
      return null;
    }
    case "game:payout-complete": {
      const { player, money, to } = event.data.payout;
      return player.id === playerId && to === "wallet" ? `Paid: ${withSymbol(money)} to your wallet.` : null;
    }
    case "game:update": {
      const { game } = event.data;
      const own = game.payouts.find(({ player }) => player.id === playerId);
      if (own === undefined || own.to === "wallet") return null;
      return game.state === "refunded" ? `${withSymbol(own.money)} is back in your pool.` : paid(own.money);
    }
    default:
      return null;
  }
}

const paid = (money: Money): string => `Paid: ${withSymbol(money)} to your pool.`;

function depositNews({ state, money }: Deposit): string {
  switch (state) {
    case "seen":
      return `We see ${withSymbol(money)} coming in.`;
    case "playable":
      return `${withSymbol(money)} is yours to play with.`;
    case "final":
      return `${withSymbol(money)} is final: play with it or withdraw it.`;
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

/** What an event changes in the things that are on screen. Pure: the cache is written elsewhere. */
import type { BatchedEvent, EventData } from "../../../engine/contract/events.ts";
import type { Game, LiveRoom, Proposal } from "../../../engine/contract/wager.ts";
import type { Listings } from "../api/shapes.ts";

const mostListed = 50;

/** The list with this item in it, in its place when it was there, else in front. */
export function upserted<Item extends { id: string }>(items: readonly Item[], item: Item): Item[] {
  return items.some(({ id }) => id === item.id)
    ? items.map((known) => (known.id === item.id ? item : known))
    : [item, ...items];
}

/** What an event says about a game: which one, and what it makes of what we know of it. */
export function gamePatch(
  event: BatchedEvent,
): { gameId: string; patch: (known: Game) => Game; whole: Game | null } | null {
  switch (event.name) {
    case "game:update": {
      const { game } = event.data;
      return { gameId: game.id, patch: () => game, whole: game };
    }
    case "game:pool-update": {
      const { gameId, escrow } = event.data;
      return { gameId, patch: (known) => ({ ...known, escrow }), whole: null };
    }
    case "game:payout-sent":
    case "game:payout-complete": {
      const { gameId, payout } = event.data;
      const patch = (known: Game) => ({ ...known, payouts: upserted(known.payouts, payout) });
      return { gameId, patch, whole: null };
    }
    default:
      return null;
  }
}

export function patchGames(games: readonly Game[], event: BatchedEvent): Game[] {
  const change = gamePatch(event);
  if (change === null) return [...games];
  if (change.whole !== null) return upserted(games, change.whole);
  return games.map((game) => (game.id === change.gameId ? change.patch(game) : game));
}

const isOver = ({ state }: Game): boolean => state === "settled" || state === "refunded";

/** The public feed: offers that are open to anyone, games under way, the latest that are over. */
export function patchListings(listings: Listings, event: BatchedEvent): Listings {
  if (event.name === "proposal:update") {
    return { ...listings, offers: patchOffers(listings.offers, event.data.proposal) };
  }
  const change = gamePatch(event);
  if (change === null) return listings;
  const known = [...listings.games, ...listings.settled].find(({ id }) => id === change.gameId);
  const game = change.whole ?? (known === undefined ? null : change.patch(known));
  if (game === null) return listings;
  const without = (games: readonly Game[]) => games.filter(({ id }) => id !== game.id);
  return isOver(game)
    ? {
        ...listings,
        games: without(listings.games),
        settled: upserted(listings.settled, game).slice(0, mostListed),
      }
    : {
        ...listings,
        games: upserted(listings.games, game).slice(0, mostListed),
        settled: without(listings.settled),
      };
}

function patchOffers(offers: readonly Proposal[], proposal: Proposal): Proposal[] {
  return proposal.state === "pending" && proposal.taker === null
    ? upserted(offers, proposal).slice(0, mostListed)
    : offers.filter(({ id }) => id !== proposal.id);
}

/** A live room shows one offer and one game: the latest that was talked about. */
export function patchLive(live: LiveRoom, event: BatchedEvent): LiveRoom {
  if (event.name === "proposal:update") {
    const { proposal } = event.data;
    if (proposal.state === "pending") return { ...live, offer: proposal };
    return live.offer?.id === proposal.id ? { ...live, offer: null } : live;
  }
  const change = gamePatch(event);
  if (change === null) return live;
  if (change.whole !== null) {
    const { whole } = change;
    // A game that is over doesn't push one that is under way off the page.
    const stays = live.game !== null && live.game.id !== whole.id && isOver(whole) && !isOver(live.game);
    return stays ? live : { ...live, game: whole };
  }
  return live.game?.id === change.gameId ? { ...live, game: change.patch(live.game) } : live;
}

/** The one event that a socket on `/` delivers, in the form of a batch. */
export function arrivalOf(
  name: BatchedEvent["name"],
  envelope: { sequence: number; at: string; data: EventData[BatchedEvent["name"]] },
): { from: number; sequence: number; events: BatchedEvent[] } {
  const { sequence, at, data } = envelope;
  return { from: sequence, sequence, events: [{ name, sequence, at, data } as BatchedEvent] };
}

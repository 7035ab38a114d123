import { describe, expect, test } from "vitest";
import { patchGames, patchListings, patchLive } from "../../web/src/live/patches.ts";
import { anna, event, game, live, payout, proposal } from "./samples.ts";

const empty = { offers: [], games: [], settled: [] };

describe("the public feed", () => {
  test("shows an open offer at once and drops it when it is taken", () => {
    const shown = patchListings(empty, event("proposal:update", { proposal: proposal() }));
    expect(shown.offers).toHaveLength(1);
    const taken = event("proposal:update", { proposal: proposal({ state: "accepted", taker: anna }) });
    expect(patchListings(shown, taken).offers).toEqual([]);
  });

  test("never shows an offer that is made to somebody by name", () => {
    const named = event("proposal:update", { proposal: proposal({ taker: anna }) });
    expect(patchListings(empty, named).offers).toEqual([]);
  });

  test("moves a game from under way to paid, and back when its settlement is taken back", () => {
    const playing = patchListings(empty, event("game:update", { game: game() }));
    const paid = patchListings(playing, event("game:update", { game: game({ state: "settled" }) }));
    expect([paid.games.length, paid.settled.length]).toEqual([0, 1]);
    const undone = patchListings(paid, event("game:update", { game: game({ state: "disputed" }) }));
    expect([undone.games.length, undone.settled.length]).toEqual([1, 0]);
  });
});

describe("a game that is known", () => {
  test("hears of its escrow without losing anything else", () => {
    const escrow = { ...game().escrow, funded: "mined" as const };
    const [patched] = patchGames([game()], event("game:pool-update", { gameId: "game-1", escrow }));
    expect(patched).toEqual(game({ escrow }));
  });

  test("takes a payout in its new state in the place of the old one", () => {
    const sent = payout({ state: "sent" });
    const known = game({ payouts: [payout(), payout({ id: "2", player: anna })] });
    const [patched] = patchGames([known], event("game:payout-sent", { gameId: "game-1", payout: sent }));
    expect(patched?.payouts.map(({ id, state }) => [id, state])).toEqual([
      ["1", "sent"],
      ["2", "waiting"],
    ]);
  });

  test("an event of a game that isn't known changes nothing", () => {
    const other = event("game:payout-sent", { gameId: "game-9", payout: payout() });
    expect(patchGames([game()], other)).toEqual([game()]);
  });
});

describe("a live room", () => {
  test("keeps the game under way when another one ends", () => {
    const room = live({ game: game() });
    const other = event("game:update", { game: game({ id: "game-2", state: "settled" }) });
    expect(patchLive(room, other).game?.id).toBe("game-1");
  });

  test("takes an offer off the table when it lapses, and only that one", () => {
    const room = live({ offer: proposal() });
    const lapsed = (id: string) => event("proposal:update", { proposal: proposal({ id, state: "expired" }) });
    expect(patchLive(room, lapsed("offer-9")).offer?.id).toBe("offer-1");
    expect(patchLive(room, lapsed("offer-1")).offer).toBeNull();
  });
});

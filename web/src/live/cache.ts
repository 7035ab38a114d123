/** Snapshots and events of the rooms go into the query cache, from which every screen reads. */
import type { QueryClient } from "@tanstack/react-query";
import type { BatchedEvent, Snapshot } from "../../../engine/contract/events.ts";
import type { Game, LiveRoom } from "../../../engine/contract/wager.ts";
import {
  balancesQuery,
  depositsQuery,
  gameQuery,
  listingsQuery,
  liveQuery,
  ownGamesQuery,
  ownProposalsQuery,
  ownSuspenseQuery,
  withdrawalsQuery,
} from "../api/queries.ts";
import { gamePatch, patchGames, patchListings, patchLive, upserted } from "./patches.ts";

export function storeOwnSnapshot(cache: QueryClient, snapshot: Snapshot): void {
  if (snapshot.kind !== "player") return;
  cache.setQueryData(balancesQuery.queryKey, snapshot.balances);
  cache.setQueryData(ownProposalsQuery.queryKey, snapshot.proposals);
  cache.setQueryData(ownGamesQuery.queryKey, snapshot.games);
  cache.setQueryData(depositsQuery.queryKey, snapshot.deposits);
  cache.setQueryData(withdrawalsQuery.queryKey, snapshot.withdrawals);
  void cache.invalidateQueries({ queryKey: ["own", "history"] });
}

/** An event of the player's own room. Lists that haven't been read yet stay unread: their first read has it all. */
export function storeOwnEvent(cache: QueryClient, event: BatchedEvent): void {
  switch (event.name) {
    case "pool:balance": {
      const { balance } = event.data;
      cache.setQueryData(balancesQuery.queryKey, (known) =>
        known?.some(({ free }) => free.token === balance.free.token)
          ? known.map((other) => (other.free.token === balance.free.token ? balance : other))
          : known && [...known, balance],
      );
      void cache.invalidateQueries({ queryKey: ["own", "history"] });
      return;
    }
    case "deposit:update":
      cache.setQueryData(depositsQuery.queryKey, (known) => known && upserted(known, event.data.deposit));
      // It may have been claimed out of suspense.
      void cache.invalidateQueries({ queryKey: ownSuspenseQuery.queryKey });
      return;
    case "withdrawal:update":
      cache.setQueryData(
        withdrawalsQuery.queryKey,
        (known) => known && upserted(known, event.data.withdrawal),
      );
      return;
    case "proposal:update":
      cache.setQueryData(
        ownProposalsQuery.queryKey,
        (known) => known && upserted(known, event.data.proposal),
      );
      void cache.invalidateQueries({ queryKey: ["chain"] });
      return;
    case "game:update":
    case "game:pool-update":
    case "game:payout-sent":
    case "game:payout-complete":
      cache.setQueryData(ownGamesQuery.queryKey, (known) => known && patchGames(known, event));
      storeGameEvent(cache, event);
      return;
    case "overlay:replaced":
      return;
  }
}

export function storeGameEvent(cache: QueryClient, event: BatchedEvent): void {
  const change = gamePatch(event);
  if (change === null) return;
  cache.setQueryData(
    gameQuery(change.gameId).queryKey,
    (known: Game | undefined) => change.whole ?? (known && change.patch(known)),
  );
  void cache.invalidateQueries({ queryKey: ["receipt", change.gameId] });
}

export function storeArenaSnapshot(cache: QueryClient, snapshot: Snapshot): void {
  if (snapshot.kind !== "arena") return;
  const { offers, games, settled } = snapshot;
  cache.setQueryData(listingsQuery.queryKey, { offers, games, settled });
}
export function storeArenaEvent(cache: QueryClient, event: BatchedEvent): void {
  cache.setQueryData(listingsQuery.queryKey, (known) => known && patchListings(known, event));
}

export function storeLiveSnapshot(cache: QueryClient, room: string, snapshot: Snapshot): void {
  if (snapshot.kind === "live") cache.setQueryData(liveQuery(room).queryKey, snapshot.live);
  if (snapshot.kind === "game") {
    cache.setQueryData(
      liveQuery(room).queryKey,
      (known: LiveRoom | undefined) => known && { ...known, game: snapshot.game },
    );
  }
}
export function storeLiveEvent(cache: QueryClient, room: string, event: BatchedEvent): void {
  cache.setQueryData(
    liveQuery(room).queryKey,
    (known: LiveRoom | undefined) => known && patchLive(known, event),
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import {
  storeArenaEvent,
  storeArenaSnapshot,
  storeGameEvent,
  storeLiveEvent,
  storeLiveSnapshot,
  storeOwnEvent,
  storeOwnSnapshot,
} from "./cache.ts";
import { connection } from "./connection.ts";
import { news, newsOf } from "./news.ts";
import { followRoom } from "./rooms.ts";

/** True when the numbers on screen may be old: a socket has been down for five seconds. */
export const useStale = (): boolean => useSyncExternalStore(connection.subscribe, connection.isStale);

/** Keeps everything of the signed-in player fresh, for as long as the page is open. */
export function useOwnRoom(playerId: string | null): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (playerId === null) return;
    return followRoom(`player:${playerId}`, {
      onSnapshot: (snapshot) => storeOwnSnapshot(cache, snapshot),
      onEvent: (event) => {
        storeOwnEvent(cache, event);
        const line = newsOf(event, playerId);
        if (line !== null) news.tell(line);
      },
    });
  }, [cache, playerId]);
}

export function useArena(): void {
  const cache = useQueryClient();
  useEffect(
    () =>
      followRoom("arena", {
        onSnapshot: (snapshot) => storeArenaSnapshot(cache, snapshot),
        onEvent: (event) => storeArenaEvent(cache, event),
      }),
    [cache],
  );
}

export function useGameRoom(gameId: string): void {
  const cache = useQueryClient();
  useEffect(
    () =>
      followRoom(`game:${gameId}`, {
        onSnapshot: (snapshot) => {
          if (snapshot.kind === "game") cache.setQueryData(["game", gameId], snapshot.game);
        },
        onEvent: (event) => storeGameEvent(cache, event),
      }),
    [cache, gameId],
  );
}

/** `name`: what the address bar says; `room`: the socket's name for it, null until it is known. */
export function useLiveRoom({ name, room }: { name: string; room: string | null }): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (room === null) return;
    return followRoom(room, {
      onSnapshot: (snapshot) => storeLiveSnapshot(cache, name, snapshot),
      onEvent: (event) => storeLiveEvent(cache, name, event),
    });
  }, [cache, name, room]);
}

/** Reads snapshots for many at once: a server that comes back is asked by everybody in the same second. */
import pLimit from "p-limit";
import type { Snapshot } from "../contract/events.ts";

export interface RoomState {
  /** The number of the room's last event that is part of the snapshot. */
  sequence: number;
  snapshot: Snapshot;
}
export type ReadRoom = (room: string) => Promise<RoomState | null>;

const readsAtOnce = 4;
const mostWaiting = 2_000;

/**
 * Few reads at a time, and one for all who wait for the same room. Whoever comes when a read has begun gets the next
 * one: that one's number might be older than the moment at which the room was joined.
 * @returns a reader that answers "overloaded" while too many rooms wait
 */
export function shareReads(read: ReadRoom): (room: string) => Promise<RoomState | null | "overloaded"> {
  const limit = pLimit(readsAtOnce);
  const waiting = new Map<string, Promise<RoomState | null>>();
  return async (room) => {
    const known = waiting.get(room);
    if (known !== undefined) return known;
    if (waiting.size >= mostWaiting) return "overloaded";
    const state = limit(() => {
      waiting.delete(room);
      return read(room);
    });
    waiting.set(room, state);
    return state;
  };
}

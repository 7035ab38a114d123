/** Events for sockets, written with the change that they tell of. */
import type { EventData, EventName } from "../contract/events.ts";
import { writeOutbox } from "../db/outbox.ts";
import type { Tx } from "../db/pool.ts";

/** One event for some rooms; see the contract for which rooms an event goes to. */
export type Telling = {
  [Name in EventName]: { rooms: string[]; name: Name; data: EventData[Name] };
}[EventName];

export const rooms = {
  player: (playerId: string) => `player:${playerId}`,
  game: (gameId: string) => `game:${gameId}`,
  /** The public room that follows a player from one wager to the next. */
  live: (playerId: string) => `live:${playerId}`,
  arena: "arena",
} as const;

export const tell = (tx: Tx, tellings: Telling[]): Promise<void> => writeOutbox(tx, tellings);

/** Events for sockets, written with the change that they tell of. */
import type { EventData, EventName } from "../contract/events.ts";
import { writeOutbox } from "../db/outbox.ts";
import type { Tx } from "../db/pool.ts";

/** What is written of a player's new numbers: whose, and which token's. The relay reads them when it sends the event. */
export interface BalanceChange {
  playerId: string;
  token: string;
}
type Written = Omit<EventData, "pool:balance"> & { "pool:balance": BalanceChange };

/** One event for some rooms; see the contract for which rooms an event goes to. */
export type Telling = {
  [Name in EventName]: { rooms: string[]; name: Name; data: Written[Name] };
}[EventName];

export const rooms = {
  player: (playerId: string) => `player:${playerId}`,
  game: (gameId: string) => `game:${gameId}`,
  /** The public room that follows a player from one wager to the next. */
  live: (playerId: string) => `live:${playerId}`,
  /** The sockets that came with one overlay link, by the hash of its token; nobody can ask to be in it. */
  overlay: (tokenHash: Buffer) => `overlay:${tokenHash.toString("hex")}`,
  arena: "arena",
} as const;

/** The hash in the name of an overlay link's own room. */
export const overlayHash = (room: string): Buffer => Buffer.from(room.slice("overlay:".length), "hex");

const staged = new WeakMap<Tx, Telling[]>();

/** Lets a transaction collect what it tells; whoever calls this writes `takeStaged` down before the commit. */
export const stageTellings = (tx: Tx): void => void staged.set(tx, []);
/** What was told so far, once. */
export function takeStaged(tx: Tx): Telling[] {
  const tellings = staged.get(tx) ?? [];
  staged.delete(tx);
  return tellings;
}

/** Tells of a change, in its transaction: at once, or with its end where that collects (`change`). */
export async function tell(tx: Tx, tellings: Telling[]): Promise<void> {
  const collected = staged.get(tx);
  if (collected === undefined) await writeOutbox(tx, tellings);
  else collected.push(...tellings);
}

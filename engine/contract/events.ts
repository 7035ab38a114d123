/**
 * The socket contract. A subscription is answered with a snapshot and the room's sequence number; every later event of
 * the room carries the next number; a gap means: subscribe again. Amounts are strings of base units, as over HTTP.
 *
 * Rooms: `player:<id>` (only that player, on `/`), `game:<id>` and `live:<player id>` and `arena` (public, on `/arena`).
 */
import { z } from "zod";
import type { Deposit, PoolBalance, Withdrawal } from "./account.ts";
import type { Game, LiveRoom, Payout, Proposal } from "./wager.ts";

/** What each event carries. */
export interface EventData {
  /** A pool moved: the new numbers of one token. To `player:<id>`. */
  "pool:balance": { balance: PoolBalance };
  /** A deposit was seen, became playable or final, or fell out of the chain. To `player:<id>`. */
  "deposit:update": { deposit: Deposit };
  "withdrawal:update": { withdrawal: Withdrawal };
  /** An offer was made or changed its state. To both players, `live:*` of both and `arena` when it is public. */
  "proposal:update": { proposal: Proposal };
  /** A game started or changed its state. To both players, `game:<id>`, `live:*` of both and `arena`. */
  "game:update": { game: Game };
  /** The pot reached (or left) the escrow wallet on the chain. */
  "game:pool-update": { gameId: string; escrow: Game["escrow"] };
  "game:payout-sent": { gameId: string; payout: Payout };
  "game:payout-complete": { gameId: string; payout: Payout };
  /** The overlay link was replaced: the socket is closed after this. */
  "overlay:replaced": Record<string, never>;
}
export type EventName = keyof EventData;

/** One event of one room. `at` is when it was committed, ISO 8601. */
export interface Envelope<Name extends EventName = EventName> {
  room: string;
  sequence: number;
  at: string;
  data: EventData[Name];
}

export const roomName = z
  .string()
  .regex(
    /^(arena|player:[1-9][0-9]{0,18}|live:[1-9][0-9]{0,18}|game:[0-9a-f-]{36})$/,
    "There is no such room.",
  );
export const subscribeBody = z.strictObject({ room: roomName });

/** What a room's snapshot holds; the same as REST answers. */
export type Snapshot =
  | {
      kind: "player";
      balances: PoolBalance[];
      proposals: Proposal[];
      games: Game[];
      deposits: Deposit[];
      withdrawals: Withdrawal[];
    }
  | { kind: "game"; game: Game }
  | { kind: "live"; live: LiveRoom }
  | { kind: "arena"; offers: Proposal[]; games: Game[]; settled: Game[] };

export type SubscribeAnswer =
  | { ok: true; room: string; sequence: number; snapshot: Snapshot }
  | { ok: false; code: string; message: string };

export interface ClientToServer {
  subscribe: (body: z.input<typeof subscribeBody>, answer: (result: SubscribeAnswer) => void) => void;
  unsubscribe: (body: z.input<typeof subscribeBody>) => void;
}
/**
 * Events come singly on `/`. Public rooms are coalesced: at most ten batches a second and room, as `batch`, in order;
 * of several updates of one thing in a batch only the last is kept, and `sequence` is that of the last.
 */
export type ServerToClient = {
  [Name in EventName]: (envelope: Envelope<Name>) => void;
} & { batch: (batch: { room: string; sequence: number; from: number; events: BatchedEvent[] }) => void };
export type BatchedEvent = {
  [Name in EventName]: { name: Name; sequence: number; at: string; data: EventData[Name] };
}[EventName];
/** What a socket's handshake may carry in `auth`: an overlay's read-only token. */
export const handshakeAuth = z.strictObject({ overlayToken: z.string().max(100).optional() });

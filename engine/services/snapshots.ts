/**
 * A room's state together with its number. The number is read first: what changes in between arrives as an event with a
 * higher number as well, and applying an update twice is harmless, since updates carry the whole of what changed.
 */
import type { Snapshot } from "../contract/events.ts";
import { readRoomSequence, readRoomSequences } from "../db/outbox.ts";
import { readListings } from "./arena.ts";
import type { Context } from "./context.ts";
import { listDeposits } from "./deposit-list.ts";
import { listGames, readGame } from "./games.ts";
import { readLiveRoom } from "./live.ts";
import { readPoolBalances } from "./pools.ts";
import { listProposals } from "./proposals.ts";
import { listWithdrawals } from "./withdrawals.ts";

const mostOfEach = 50;

/** What a subscription is answered with; null when there is no such room. */
export async function readSnapshot(
  context: Context,
  room: string,
): Promise<{ sequence: number; snapshot: Snapshot } | null> {
  const sequence = await readRoomSequence(context.pool, room);
  const snapshot = await readState(context, room);
  return snapshot === null ? null : { sequence, snapshot };
}

async function readState(context: Context, room: string): Promise<Snapshot | null> {
  const at = room.indexOf(":");
  const [kind, id] = at === -1 ? [room, ""] : [room.slice(0, at), room.slice(at + 1)];
  switch (kind) {
    case "arena": {
      const listings = await readListings(context);
      return listings.ok ? { kind: "arena", ...listings.value } : null;
    }
    case "game": {
      const game = await readGame(context, id);
      return game.ok ? { kind: "game", game: game.value } : null;
    }
    case "live": {
      const live = await readLiveRoom(context, id);
      return live === null ? null : { kind: "live", live };
    }
    case "player":
      return readPlayerState(context, id);
    default:
      return null;
  }
}

async function readPlayerState(context: Context, playerId: string): Promise<Snapshot | null> {
  const mine = { by: playerId, limit: mostOfEach };
  const [balances, offers, games, deposits, withdrawals] = await Promise.all([
    readPoolBalances(context, context.pool, playerId),
    listProposals(context, { ...mine, box: "all" }),
    listGames(context, mine),
    listDeposits(context, mine),
    listWithdrawals(context, mine),
  ]);
  if (!offers.ok || !games.ok || !deposits.ok || !withdrawals.ok) return null;
  return {
    kind: "player",
    balances,
    proposals: offers.value.items,
    games: games.value.items,
    deposits: deposits.value.items,
    withdrawals: withdrawals.value.items,
  };
}

/** The last number of each of these rooms, 0 before its first event. */
export const readSequences = (context: Context, rooms: string[]): Promise<Map<string, number>> =>
  readRoomSequences(context.pool, rooms);

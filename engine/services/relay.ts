/** Takes committed events out of the outbox and gives each room's its next numbers. */
import type { EventData, EventName } from "../contract/events.ts";
import { holdFence } from "../db/lease.ts";
import { advanceRooms, type ClaimedEvent, claimOutbox } from "../db/outbox.ts";
import { type Tx, together, transaction } from "../db/pool.ts";
import type { Context } from "./context.ts";
import type { BalanceChange } from "./outbox.ts";
import { readBalancesNow } from "./pools.ts";

/** One event of one room, numbered, ready to be sent. */
export interface NumberedEvent {
  room: string;
  sequence: number;
  name: EventName;
  at: string;
  data: unknown;
}

/**
 * The next events, oldest first, each once per room. The numbers are committed before anybody hears of them: an event
 * that is lost on the way shows as a gap, and whoever sees a gap asks for a snapshot. One process at a time may call this.
 * @throws LostLeaseError when another one has taken over
 */
export async function takeEvents(
  context: Context,
  { fence, limit }: { fence: number; limit: number },
): Promise<NumberedEvent[]> {
  return transaction(context.pool, async (tx) => {
    const [, events] = await together(tx, () => [
      holdFence(tx, { name: "relay", fence }),
      claimOutbox(tx, limit),
    ]);
    const claimed = await withBalances(context, tx, events);
    if (claimed.length === 0) return [];
    const counts = new Map<string, number>();
    for (const room of claimed.flatMap(({ rooms }) => rooms)) counts.set(room, (counts.get(room) ?? 0) + 1);
    const last = await advanceRooms(
      tx,
      [...counts].map(([room, by]) => ({ room, by })),
    );
    const next = new Map([...counts].map(([room, by]) => [room, (last.get(room) ?? by) - by]));
    return claimed.flatMap((event) =>
      event.rooms.map((room) => {
        const sequence = (next.get(room) ?? 0) + 1;
        next.set(room, sequence);
        const { name, data, created_at } = event;
        return { room, sequence, name: name as EventName, at: created_at.toISOString(), data };
      }),
    );
  });
}

/** Puts the numbers of this moment into events that say only whose are others now: one event is enough for each. */
async function withBalances(context: Context, tx: Tx, events: ClaimedEvent[]): Promise<ClaimedEvent[]> {
  const changes = new Map<string, { change: BalanceChange; event: ClaimedEvent }>();
  for (const event of events) {
    if (event.name !== "pool:balance") continue;
    // Written by `tell` under this name.
    const change = event.data as BalanceChange;
    changes.set(`${change.playerId} ${change.token}`, { change, event });
  }
  if (changes.size === 0) return events;
  const last = new Map([...changes.values()].map(({ change, event }) => [event, change]));
  const balanceOf = await readBalancesNow(context, tx, [...last.values()]);
  return events.flatMap((event) => {
    if (event.name !== "pool:balance") return [event];
    const change = last.get(event);
    const balance = change === undefined ? null : balanceOf(change);
    return balance === null ? [] : [{ ...event, data: { balance } satisfies EventData["pool:balance"] }];
  });
}

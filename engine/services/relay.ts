/** Takes committed events out of the outbox and gives each room's its next numbers. */
import type { EventName } from "../contract/events.ts";
import { advanceRooms, claimOutbox, trimOutbox } from "../db/outbox.ts";
import { transaction } from "../db/pool.ts";
import type { Context } from "./context.ts";

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
 * that is lost on the way shows as a gap, and whoever sees a gap asks for a snapshot. Called by one process at a time.
 */
export async function takeEvents(context: Context, limit: number): Promise<NumberedEvent[]> {
  return transaction(context.pool, async (tx) => {
    const claimed = await claimOutbox(tx, limit);
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

/** Drops what was published long ago. */
export const forgetOldEvents = (context: Context): Promise<void> => trimOutbox(context.pool);

import { z } from "zod";
import { count, id, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

export interface OutboxEvent {
  /** Rooms that hear of it, such as `player:7`, `game:<id>`, `live:7`, `arena`. */
  rooms: string[];
  name: string;
  data: unknown;
}

/** Inserts the events of a JSON array, in their order; `$1` is the array. */
export const insertEvents = `INSERT INTO outbox (rooms, name, data)
  SELECT ARRAY(SELECT jsonb_array_elements_text(event->'rooms')), event->>'name', event->'data'
  FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (event, position) ORDER BY position`;

/** Writes events beside the change that they tell of. One statement for all of them. */
export async function writeOutbox(tx: Tx, events: OutboxEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query({ name: "write_outbox", text: insertEvents, values: [JSON.stringify(events)] });
}

const claimed = z.object({
  id,
  rooms: z.array(z.string()),
  name: z.string(),
  data: z.unknown(),
  created_at: moment,
});
export type ClaimedEvent = z.output<typeof claimed>;

/**
 * Takes the next waiting events, oldest first, out of the box. Called by the one relay only, inside the transaction that
 * also numbers them: after its commit an event is delivered at most once, and a lost delivery shows as a gap in the
 * room's numbers.
 */
export async function claimOutbox(tx: Tx, limit: number): Promise<ClaimedEvent[]> {
  const { rows } = await tx.query({
    name: "claim_outbox",
    text: `WITH taken AS (
             DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT $1)
             RETURNING id, rooms, name, data, created_at)
           SELECT * FROM taken ORDER BY id`,
    values: [limit],
  });
  return rowsOf(claimed, rows);
}

/** Advances each room's number by as much as it got events; answers the room's last number. */
export async function advanceRooms(
  tx: Tx,
  advances: { room: string; by: number }[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query({
    name: "advance_rooms",
    text: `INSERT INTO room_sequence (room, sequence)
           SELECT room, by FROM unnest($1::text[], $2::bigint[]) AS given (room, by) ORDER BY room
           ON CONFLICT (room) DO UPDATE SET sequence = room_sequence.sequence + EXCLUDED.sequence
           RETURNING room, sequence`,
    values: [advances.map(({ room }) => room), advances.map(({ by }) => by)],
  });
  return sequences(rows);
}

/** A room's number, 0 before its first event. */
export async function readRoomSequence(db: Queryable, room: string): Promise<number> {
  return (await readRoomSequences(db, [room])).get(room) ?? 0;
}

/** The numbers of several rooms. */
export async function readRoomSequences(db: Queryable, rooms: string[]): Promise<Map<string, number>> {
  const { rows } = await db.query({
    name: "room_sequences",
    text: `SELECT room, coalesce(sequence, 0) AS sequence
           FROM unnest($1::text[]) AS asked (room) LEFT JOIN room_sequence USING (room)`,
    values: [rooms],
  });
  return sequences(rows);
}

const roomSequence = z.object({ room: z.string(), sequence: count });
const sequences = (rows: unknown[]): Map<string, number> =>
  new Map(rowsOf(roomSequence, rows).map((row) => [row.room, row.sequence]));

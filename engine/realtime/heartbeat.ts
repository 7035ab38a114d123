/**
 * Tells listeners where their room stands. The last event before a room goes quiet can be lost without a gap: its
 * process may die between the commit and the sending, or what it said to the other processes isn't heard.
 */
import { roomName } from "../contract/events.ts";
import type { RealtimeServer } from "./server.ts";

/** A room's last number, 0 before its first event. */
export type ReadSequences = (rooms: string[]) => Promise<Map<string, number>>;

/**
 * Each call sends the numbers that the call before it has read, so that an event on its way isn't taken for lost, to
 * this process's sockets, as a batch without events that begins after the number: whoever is behind sees a gap.
 */
export function createHeartbeat(io: RealtimeServer, readSequences: ReadSequences): () => Promise<void> {
  let lastRead = new Map<string, number>();
  const told = new Map<string, number>();
  return async () => {
    const open = openRooms(io);
    for (const room of told.keys()) if (!open.has(room)) told.delete(room);
    for (const [room, namespace] of open) {
      const sequence = lastRead.get(room);
      if (sequence === undefined || told.get(room) === sequence) continue;
      told.set(room, sequence);
      io.of(namespace)
        .local.to(room)
        .emit("batch", { room, from: sequence + 1, sequence, events: [] });
    }
    lastRead = open.size === 0 ? new Map() : await readSequences([...open.keys()]);
  };
}

/** The rooms with listeners here, and the namespace of each. */
function openRooms(io: RealtimeServer): Map<string, "/" | "/arena"> {
  const open = new Map<string, "/" | "/arena">();
  for (const namespace of ["/", "/arena"] as const)
    for (const room of io.of(namespace).adapter.rooms.keys())
      if (roomName.safeParse(room).success) open.set(room, namespace);
  return open;
}

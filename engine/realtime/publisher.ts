/** Delivers committed events to sockets, in order, as soon as they are there. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { NumberedEvent } from "../services/relay.ts";
import { Coalescer } from "./coalescer.ts";
import type { RealtimeServer } from "./server.ts";

export interface PublisherOptions {
  io: RealtimeServer;
  /** The next numbered events, at most `limit`. */
  takeEvents: (limit: number) => Promise<NumberedEvent[]>;
  log: Logger;
  signal: AbortSignal;
}
export interface Publisher {
  /** Look now. */
  nudge: () => void;
  /** Ends after the signal. */
  done: Promise<void>;
}

const batchSize = 500;
const betweenLooksMs = 50;
/** How long it waits for a nudge before it looks by itself. */
const lookEveryMs = 500;

export function startPublisher({ io, takeEvents, log, signal }: PublisherOptions): Publisher {
  let wake: () => void = () => undefined;
  let nudged = false;
  const nudge = (): void => {
    nudged = true;
    wake();
  };
  signal.addEventListener("abort", nudge, { once: true });

  const coalescer = new Coalescer((room, events) => {
    const last = events.at(-1);
    const first = events[0];
    if (last === undefined || first === undefined) return;
    io.of("/arena")
      .to(room)
      .emit("batch", { room, from: first.sequence, sequence: last.sequence, events: latestOfEach(events) });
  });
  const deliver = (event: NumberedEvent): void => {
    if (event.room.startsWith("player:")) {
      const { room, sequence, at, data } = event;
      // The outbox holds what `tell` wrote under this name, so the data is of this event's shape.
      io.of("/")
        .to(room)
        .emit(event.name, { room, sequence, at, data } as never);
    } else {
      coalescer.add(event.room, event);
    }
    if (event.name === "overlay:replaced") endOverlays(io, event.room);
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      nudged = false;
      try {
        for (;;) {
          const events = await takeEvents(batchSize);
          for (const event of events) deliver(event);
          if (events.length === 0 || signal.aborted) break;
          // What comes in the meantime is taken together: a look costs four statements, however little it finds.
          if (events.length < batchSize) await delay(betweenLooksMs);
        }
      } catch (error) {
        log.error({ error }, "events wait: the outbox can't be read");
      }
      if (!nudged && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, lookEveryMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (nudged) wake();
        });
      }
    }
    coalescer.flush();
  };
  return { nudge, done: run() };
}

/** Of several updates of one thing only the last counts. */
function latestOfEach(events: NumberedEvent[]): never[] {
  const latest = new Map<string, NumberedEvent>();
  for (const event of events) {
    const key = `${event.name} ${subjectOf(event.data)}`;
    latest.delete(key);
    latest.set(key, event);
  }
  return [...latest.values()].map(({ name, sequence, at, data }) => ({
    name,
    sequence,
    at,
    data,
  })) as never[];
}

function subjectOf(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  for (const part of ["payout", "proposal", "game"] as const) {
    const value = (data as Record<string, unknown>)[part];
    if (typeof value === "object" && value !== null && "id" in value) return String(value.id);
  }
  return "gameId" in data ? String(data.gameId) : "";
}

/** Sockets that came with the replaced link have heard why; the public page's stay. */
function endOverlays(io: RealtimeServer, room: string): void {
  for (const socket of io.of("/arena").sockets.values()) {
    if (socket.data.overlayRoom !== room) continue;
    socket.emit("overlay:replaced", { room, sequence: 0, at: new Date().toISOString(), data: {} });
    socket.disconnect(true);
  }
}

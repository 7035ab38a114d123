/** Delivers committed events to sockets, in order, as soon as they are there. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { NumberedEvent } from "../services/relay.ts";
import { Coalescer } from "./coalescer.ts";
import { endOverlay, type RealtimeServer } from "./server.ts";

export interface PublisherOptions {
  io: RealtimeServer;
  /** The next numbered events, at most `limit`, for whoever holds the fence. */
  takeEvents: (input: { fence: number; limit: number }) => Promise<NumberedEvent[]>;
  log: Logger;
  /** Sockets of other processes hear too, so that a room without listeners here may have some elsewhere. */
  isOneOfMany?: boolean;
}
export interface Publisher {
  /** Look now; false when another process does the publishing. */
  nudge: () => boolean;
  /** Publishes until the signal comes. */
  run: (leadership: { fence: number; signal: AbortSignal }) => Promise<void>;
}

const batchSize = 500;
const betweenLooksMs = 50;
/** How long it waits for a nudge before it looks by itself. */
const lookEveryMs = 500;

export function createPublisher({ io, takeEvents, log, isOneOfMany = false }: PublisherOptions): Publisher {
  let wake: () => void = () => undefined;
  let nudged = false;
  let isRunning = false;
  const nudge = (): boolean => {
    nudged = true;
    wake();
    return isRunning;
  };

  const coalescer = new Coalescer((room, events) => {
    const last = events.at(-1);
    const first = events[0];
    if (last === undefined || first === undefined) return;
    io.of("/arena")
      .to(room)
      .emit("batch", { room, from: first.sequence, sequence: last.sequence, events: latestOfEach(events) });
  });
  // Most rooms have no listener most of the time, and an event is put into words before anybody is looked for. Who comes
  // now gets a snapshot with the event in it.
  const isHeard = (room: string): boolean =>
    isOneOfMany || io.of(room.startsWith("player:") ? "/" : "/arena").adapter.rooms.has(room);
  const deliver = (event: NumberedEvent): void => {
    const { room, sequence, at, data } = event;
    if (!isHeard(room)) return;
    if (room.startsWith("overlay:")) {
      endOverlay(io.of("/arena"), { own: room, sequence, at });
    } else if (room.startsWith("player:")) {
      // The outbox holds what `tell` wrote under this name, so the data is of this event's shape.
      io.of("/")
        .to(room)
        .emit(event.name, { room, sequence, at, data } as never);
    } else {
      coalescer.add(room, event);
    }
  };

  const run: Publisher["run"] = async ({ fence, signal }) => {
    signal.addEventListener("abort", nudge, { once: true });
    isRunning = true;
    while (!signal.aborted) {
      nudged = false;
      try {
        for (;;) {
          const events = await takeEvents({ fence, limit: batchSize });
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
    isRunning = false;
    coalescer.flush();
  };
  return { nudge, run };
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

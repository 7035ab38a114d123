import type { NumberedEvent } from "../services/relay.ts";

/** At most ten batches a second and room. */
const quietMs = 100;

/**
 * Gathers a room's events: the first goes out at once, later ones together when a tenth of a second has passed. A room
 * costs nothing while it is quiet.
 */
export class Coalescer {
  readonly #waiting = new Map<string, { events: NumberedEvent[]; timer: NodeJS.Timeout }>();
  readonly #send: (room: string, events: NumberedEvent[]) => void;

  constructor(send: (room: string, events: NumberedEvent[]) => void) {
    this.#send = send;
  }

  add(room: string, event: NumberedEvent): void {
    const waiting = this.#waiting.get(room);
    if (waiting !== undefined) {
      waiting.events.push(event);
      return;
    }
    this.#send(room, [event]);
    this.#waiting.set(room, { events: [], timer: this.#later(room) });
  }

  /** Sends what waits, now. */
  flush(): void {
    for (const [room, { events, timer }] of this.#waiting) {
      clearTimeout(timer);
      if (events.length > 0) this.#send(room, events);
    }
    this.#waiting.clear();
  }

  #later(room: string): NodeJS.Timeout {
    return setTimeout(() => {
      const waiting = this.#waiting.get(room);
      if (waiting === undefined || waiting.events.length === 0) {
        this.#waiting.delete(room);
        return;
      }
      this.#send(room, waiting.events);
      this.#waiting.set(room, { events: [], timer: this.#later(room) });
    }, quietMs);
  }
}

import type { BatchedEvent } from "../../../engine/contract/events.ts";

/** Events of one room as they come over the wire: one by one on `/`, as batches on `/arena`. */
export interface Arrival {
  /** The number of the first event that this stands for; of several about one thing only the last is in `events`. */
  from: number;
  sequence: number;
  events: readonly BatchedEvent[];
}

/** `gap`: something was missed, so that the room must be subscribed to again. */
export type Followed = { gap: false; events: BatchedEvent[] } | { gap: true };

const mostWaiting = 1_000;

/**
 * Puts the snapshot of a room and its numbered events together: nothing twice, nothing out of order, nothing missed
 * without being noticed. Events that arrive before the snapshot wait for it.
 */
export class RoomFollower {
  #sequence: number | null = null;
  #waiting: Arrival[] = [];

  /** The number of the last event that is part of what is shown; null before the first snapshot. */
  get sequence(): number | null {
    return this.#sequence;
  }

  /** A subscription has been sent again: what arrives from now on waits for its snapshot. */
  restart(): void {
    this.#sequence = null;
    this.#waiting = [];
  }

  /** The snapshot is there; answers the events that came before it and aren't in it. */
  start(sequence: number): Followed {
    this.#sequence = sequence;
    const waiting = this.#waiting;
    this.#waiting = [];
    const events: BatchedEvent[] = [];
    for (const arrival of waiting) {
      const followed = this.receive(arrival);
      if (followed.gap) return followed;
      events.push(...followed.events);
    }
    return { gap: false, events };
  }

  receive(arrival: Arrival): Followed {
    const last = this.#sequence;
    if (last === null) {
      this.#waiting.push(arrival);
      if (this.#waiting.length > mostWaiting) this.#waiting.shift();
      return { gap: false, events: [] };
    }
    if (arrival.sequence <= last) return { gap: false, events: [] };
    if (arrival.from > last + 1) {
      this.restart();
      return { gap: true };
    }
    this.#sequence = arrival.sequence;
    return { gap: false, events: arrival.events.filter(({ sequence }) => sequence > last) };
  }
}

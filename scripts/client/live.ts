/** A socket that keeps what it hears and can be waited for. */
import { io, type Socket } from "socket.io-client";
import type {
  BatchedEvent,
  ClientToServer,
  Envelope,
  EventData,
  EventName,
  ServerToClient,
  SubscribeAnswer,
} from "../../engine/contract/events.ts";

export interface Heard {
  name: EventName;
  sequence: number;
  data: EventData[EventName];
}

/** Listens to one room; `/` with the player's cookie for `player:*`, `/arena` for the public ones. */
export class LiveRoomClient {
  readonly heard: Heard[] = [];
  readonly socket: Socket<ServerToClient, ClientToServer>;
  #waiting: (() => void)[] = [];

  constructor(input: {
    origin: string;
    namespace: "/" | "/arena";
    cookieHeader?: string;
    overlayToken?: string;
  }) {
    this.socket = io(`${input.origin}${input.namespace}`, {
      transports: ["websocket"],
      forceNew: true,
      extraHeaders: {
        origin: input.origin,
        ...(input.cookieHeader === undefined ? {} : { cookie: input.cookieHeader }),
      },
      ...(input.overlayToken === undefined ? {} : { auth: { overlayToken: input.overlayToken } }),
    });
    this.socket.onAny((name: string, payload: Envelope | { events: BatchedEvent[] }) => {
      if (name === "batch" && "events" in payload) this.heard.push(...payload.events);
      else if ("sequence" in payload)
        this.heard.push({ name: name as EventName, sequence: payload.sequence, data: payload.data });
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  async subscribe(room: string): Promise<SubscribeAnswer> {
    return this.socket.timeout(10_000).emitWithAck("subscribe", { room });
  }

  /** The first event, heard already or to come, for which `matches` is true. */
  async until<Name extends EventName>(
    name: Name,
    matches: (data: EventData[Name]) => boolean,
    timeoutMs = 60_000,
  ): Promise<EventData[Name]> {
    const giveUpAtMs = performance.now() + timeoutMs;
    for (;;) {
      const found = this.heard.find((event) => event.name === name && matches(event.data as EventData[Name]));
      if (found !== undefined) return found.data as EventData[Name];
      const leftMs = giveUpAtMs - performance.now();
      if (leftMs <= 0) throw new Error(`waited ${timeoutMs} ms in vain for ${name}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.socket.disconnect();
  }
}

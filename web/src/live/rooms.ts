/** The sockets of the page: one for the signed-in player's room, one for the public rooms. Loaded when first needed. */
import type { Socket } from "socket.io-client";
import type {
  BatchedEvent,
  ClientToServer,
  EventName,
  ServerToClient,
  Snapshot,
} from "../../../engine/contract/events.ts";
import { connection } from "./connection.ts";
import { RoomFollower } from "./follower.ts";
import { arrivalOf } from "./patches.ts";

type Namespace = "/" | "/arena";
type LiveSocket = Socket<ServerToClient, ClientToServer>;

export interface RoomListener {
  onSnapshot: (snapshot: Snapshot) => void;
  onEvent: (event: BatchedEvent) => void;
}

const answerTimeoutMs = 10_000;
const againAfterMs = 2_000;

class RoomSocket {
  readonly #namespace: Namespace;
  readonly #rooms = new Map<string, { follower: RoomFollower; listeners: Set<RoomListener> }>();
  #socket: LiveSocket | null = null;
  #isOpening = false;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
    connection.onRetry(() => {
      if (this.#rooms.size > 0 && this.#socket?.connected !== true) this.#socket?.disconnect().connect();
    });
  }

  /** Follows a room until the returned function is called. */
  follow(room: string, listener: RoomListener): () => void {
    const known = this.#rooms.get(room) ?? { follower: new RoomFollower(), listeners: new Set() };
    const isNew = !this.#rooms.has(room);
    this.#rooms.set(room, known);
    known.listeners.add(listener);
    // A second listener has missed the snapshot: the room is asked again, which all of them can bear.
    if (isNew || known.follower.sequence !== null) void this.#subscribe(room);
    void this.#open();
    return () => {
      known.listeners.delete(listener);
      if (known.listeners.size > 0 || this.#rooms.get(room) !== known) return;
      this.#rooms.delete(room);
      this.#socket?.emit("unsubscribe", { room });
      if (this.#rooms.size === 0) this.#close();
    };
  }

  async #open(): Promise<void> {
    if (this.#socket !== null || this.#isOpening) return;
    this.#isOpening = true;
    const { io } = await import("socket.io-client");
    this.#isOpening = false;
    if (this.#rooms.size === 0) return;
    const socket: LiveSocket = io(this.#namespace, { forceNew: true, transports: ["websocket", "polling"] });
    this.#socket = socket;
    connection.markDown(this.#namespace);
    socket.on("connect", () => {
      connection.markUp(this.#namespace);
      for (const room of this.#rooms.keys()) void this.#subscribe(room);
    });
    socket.on("disconnect", () => {
      if (this.#socket === socket) connection.markDown(this.#namespace);
    });
    socket.on("connect_error", () => {
      if (this.#socket !== socket) return;
      connection.markDown(this.#namespace);
      // A namespace that refuses (a session that has ended, a busy server) isn't tried again by socket.io itself.
      if (!socket.active) setTimeout(() => this.#socket === socket && socket.connect(), againAfterMs);
    });
    socket.on("batch", ({ room, ...arrival }) => this.#receive(room, arrival));
    socket.onAny((name: EventName | "batch", envelope) => {
      if (name !== "batch") this.#receive(envelope.room, arrivalOf(name, envelope));
    });
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.disconnect();
    connection.markUp(this.#namespace);
  }

  async #subscribe(room: string): Promise<void> {
    const socket = this.#socket;
    const known = this.#rooms.get(room);
    if (socket?.connected !== true || known === undefined) return;
    known.follower.restart();
    const answer = await socket
      .timeout(answerTimeoutMs)
      .emitWithAck("subscribe", { room })
      .catch(() => null);
    if (this.#rooms.get(room) !== known || this.#socket !== socket) return;
    if (answer === null || !answer.ok) {
      if (answer === null || answer.code === "internal" || answer.code === "overloaded")
        setTimeout(() => void this.#subscribe(room), againAfterMs);
      return;
    }
    for (const { onSnapshot } of known.listeners) onSnapshot(answer.snapshot);
    this.#deliver(room, known.follower.start(answer.sequence));
  }

  #receive(room: string, arrival: Parameters<RoomFollower["receive"]>[0]): void {
    const known = this.#rooms.get(room);
    if (known !== undefined) this.#deliver(room, known.follower.receive(arrival));
  }

  #deliver(room: string, followed: ReturnType<RoomFollower["receive"]>): void {
    if (followed.gap) return void this.#subscribe(room);
    const listeners = this.#rooms.get(room)?.listeners ?? [];
    for (const event of followed.events) for (const { onEvent } of listeners) onEvent(event);
  }
}

const own = new RoomSocket("/");
const arena = new RoomSocket("/arena");

/** Follows `player:<id>` on the signed-in socket, every other room on the public one. */
export function followRoom(room: string, listener: RoomListener): () => void {
  return (room.startsWith("player:") ? own : arena).follow(room, listener);
}

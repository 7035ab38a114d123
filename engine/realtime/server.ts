/** The socket.io server: who may connect, which rooms a socket may hear, and how much it may ask. */
import type { Server as HttpServer } from "node:http";
import type { Logger } from "pino";
import { type Namespace, Server, type ServerOptions, type Socket } from "socket.io";
import {
  type ClientToServer,
  handshakeAuth,
  type ServerToClient,
  type Snapshot,
  type SubscribeAnswer,
  subscribeBody,
} from "../contract/events.ts";
import { Allowance } from "./allowance.ts";

/** What we know of a connected socket. */
export interface SocketData {
  /** Signed in, on `/` only. */
  playerId?: string;
  sessionId?: string;
  /** The rooms of an overlay's link: the one that it may listen to, and its own. */
  overlay?: OverlayRooms;
}
export interface OverlayRooms {
  live: string;
  own: string;
}
export type RealtimeServer = Server<ClientToServer, ServerToClient, Record<string, never>, SocketData>;
type RealtimeSocket = Socket<ClientToServer, ServerToClient, Record<string, never>, SocketData>;

export interface RealtimeOptions {
  httpServer: HttpServer;
  /** The only origin whose pages may connect. */
  publicOrigin: string;
  maxSocketsPerAddress: number;
  /** Reverse proxies in front of us whose `X-Forwarded-For` counts. */
  trustedProxyHops: number;
  readSession: (cookieHeader: string | undefined) => Promise<{ playerId: string; sessionId: string } | null>;
  /** Which of these sessions have ended by now. */
  endedSessions: (sessionIds: string[]) => Promise<string[]>;
  /** Null when the link was replaced. */
  roomsOfOverlay: (token: string) => Promise<OverlayRooms | null>;
  /** State and number of a room at one moment; null when there is no such room. */
  readSnapshot: (room: string) => Promise<{ sequence: number; snapshot: Snapshot } | null>;
  log: Logger;
  /** Carries what one process says to the sockets of all; absent: there is one process. */
  adapter?: ServerOptions["adapter"];
}

const maxRoomsPerSocket = 30;
/** A session that ran out, or whose end wasn't heard of, closes its sockets within this time. */
const recheckSessionsMs = 3_000;
/** A client that doesn't read is let go when as many packets wait for it. */
const maxWaitingPackets = 1_000;

export function createRealtime(options: RealtimeOptions): RealtimeServer {
  const perAddress = new Map<string, number>();
  const io: RealtimeServer = new Server(options.httpServer, {
    serveClient: false,
    ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
    maxHttpBufferSize: 16_384,
    pingInterval: 20_000,
    pingTimeout: 20_000,
    perMessageDeflate: false,
    transports: ["websocket", "polling"],
    allowRequest: (request, decide) => {
      const { origin } = request.headers;
      // A browser always names its origin here; programs without one carry no cookie that could be stolen.
      const isOurs =
        origin === options.publicOrigin || (origin === undefined && request.headers.cookie === undefined);
      decide(isOurs ? null : "origin_refused", isOurs);
    },
  });

  io.engine.on(
    "connection",
    (connection: {
      request: { headers: Record<string, unknown>; socket: { remoteAddress?: string } };
      close(): void;
      once(event: "close", heard: () => void): void;
    }) => {
      const address = clientAddress(connection.request, options.trustedProxyHops);
      const open = (perAddress.get(address) ?? 0) + 1;
      if (open > options.maxSocketsPerAddress) {
        connection.close();
        return;
      }
      perAddress.set(address, open);
      connection.once("close", () => {
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left === 0) perAddress.delete(address);
        else perAddress.set(address, left);
      });
    },
  );

  const rechecks = setInterval(() => {
    closeEnded(io, options).catch((error: unknown) =>
      options.log.error({ error }, "sessions of sockets can't be checked"),
    );
  }, recheckSessionsMs);
  rechecks.unref();
  options.httpServer.once("close", () => clearInterval(rechecks));

  const own = io.of("/");
  own.use((socket, next) => {
    options.readSession(socket.handshake.headers.cookie).then(
      (session) => {
        if (session === null) return next(new Error("not_signed_in"));
        socket.data.playerId = session.playerId;
        socket.data.sessionId = session.sessionId;
        next();
      },
      () => next(new Error("overloaded")),
    );
  });
  const arena = io.of("/arena");
  arena.use((socket, next) => {
    const auth = handshakeAuth.safeParse(socket.handshake.auth ?? {});
    if (!auth.success) return next(new Error("request_invalid"));
    const { overlayToken } = auth.data;
    if (overlayToken === undefined) return next();
    options.roomsOfOverlay(overlayToken).then(
      (overlay) => {
        if (overlay === null) return next(new Error("overlay_replaced"));
        socket.data.overlay = overlay;
        next();
      },
      () => next(new Error("overloaded")),
    );
  });
  serve(own, (socket, room) => room === `player:${socket.data.playerId}`, options);
  serve(
    arena,
    (socket, room) =>
      !room.startsWith("player:") && (socket.data.overlay === undefined || room === socket.data.overlay.live),
    options,
  );
  return io;
}

/** Closes every socket of a session that has ended. */
export function endSession(io: RealtimeServer, sessionId: string): void {
  for (const socket of io.of("/").sockets.values()) {
    if (socket.data.sessionId === sessionId) socket.disconnect(true);
  }
}

async function closeEnded(io: RealtimeServer, { endedSessions }: RealtimeOptions): Promise<void> {
  const open = new Set<string>();
  for (const { data } of io.of("/").sockets.values())
    if (data.sessionId !== undefined) open.add(data.sessionId);
  if (open.size === 0) return;
  for (const sessionId of await endedSessions([...open])) endSession(io, sessionId);
}

function serve(
  namespace: Namespace<ClientToServer, ServerToClient, Record<string, never>, SocketData>,
  mayHear: (socket: RealtimeSocket, room: string) => boolean,
  options: RealtimeOptions,
): void {
  namespace.on("connection", (socket) => {
    const allowance = new Allowance({ perSecond: 10, burst: 40 });
    socket.use((_packet, next) => {
      if (allowance.take()) next();
      else socket.disconnect(true);
    });
    socket.on("subscribe", (body, answer) => {
      if (typeof answer !== "function") return;
      subscribe(socket, body, mayHear, options).then(answer, (error: unknown) => {
        options.log.error({ error }, "a subscription failed");
        answer({ ok: false, code: "internal", message: "Something went wrong here; try again." });
      });
    });
    socket.on("unsubscribe", (body) => {
      const parsed = subscribeBody.safeParse(body);
      if (parsed.success) void socket.leave(parsed.data.room);
    });
    const { overlay } = socket.data;
    if (overlay !== undefined) {
      admitOverlay(socket, overlay, options).catch(() => socket.disconnect(true));
    }
    socket.conn.on("packetCreate", () => {
      if (socket.conn.transport !== undefined && waitingPackets(socket) > maxWaitingPackets)
        socket.disconnect(true);
    });
  });
}

/** Looks at the link once more when it can be told of its end: it may have been replaced just before. */
async function admitOverlay(
  socket: RealtimeSocket,
  { live, own }: OverlayRooms,
  { roomsOfOverlay }: RealtimeOptions,
): Promise<void> {
  await socket.join([live, own]);
  const { overlayToken = "" } = handshakeAuth.parse(socket.handshake.auth);
  if ((await roomsOfOverlay(overlayToken)) !== null) return;
  socket.emit("overlay:replaced", { room: own, sequence: 0, at: new Date().toISOString(), data: {} });
  socket.disconnect(true);
}

async function subscribe(
  socket: RealtimeSocket,
  body: unknown,
  mayHear: (socket: RealtimeSocket, room: string) => boolean,
  { readSnapshot }: RealtimeOptions,
): Promise<SubscribeAnswer> {
  const parsed = subscribeBody.safeParse(body);
  if (!parsed.success) return { ok: false, code: "request_invalid", message: "There is no such room." };
  const { room } = parsed.data;
  if (!mayHear(socket, room)) return { ok: false, code: "not_allowed", message: "This room isn't yours." };
  if (!socket.rooms.has(room) && socket.rooms.size > maxRoomsPerSocket) {
    return { ok: false, code: "too_many_requests", message: "Leave a room first." };
  }
  // Joined before the snapshot is read: an event in between comes twice rather than never, and its number tells.
  await socket.join(room);
  const state = await readSnapshot(room);
  if (state === null) {
    await socket.leave(room);
    return { ok: false, code: "not_found", message: "There is no such room." };
  }
  return { ok: true, room, ...state };
}

function waitingPackets(socket: RealtimeSocket): number {
  const { writeBuffer } = socket.conn as unknown as { writeBuffer?: unknown[] };
  return writeBuffer?.length ?? 0;
}

/** The address of the client, counting only as many proxies as are configured. */
function clientAddress(
  request: { headers: Record<string, unknown>; socket: { remoteAddress?: string } },
  hops: number,
): string {
  const forwarded = request.headers["x-forwarded-for"];
  const chain = typeof forwarded === "string" ? forwarded.split(",").map((part) => part.trim()) : [];
  return (hops > 0 ? chain.at(-hops) : undefined) ?? request.socket.remoteAddress ?? "unknown";
}

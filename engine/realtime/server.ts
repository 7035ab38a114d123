/** The socket.io server: who may connect, which rooms a socket may hear, and how much it may ask. */
import type { Server as HttpServer } from "node:http";
import type { Logger } from "pino";
import { type BroadcastOperator, type Namespace, Server, type ServerOptions, type Socket } from "socket.io";
import {
  type ClientToServer,
  handshakeAuth,
  type ServerToClient,
  type SubscribeAnswer,
  subscribeBody,
} from "../contract/events.ts";
import { Allowance } from "./allowance.ts";
import { createHeartbeat, type ReadSequences } from "./heartbeat.ts";
import { type ReadRoom, shareReads } from "./snapshot-reader.ts";
import { type Visitor, Visitors } from "./visitors.ts";

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
  /** Which of these links, by the rooms of their own, were replaced by now. */
  replacedOverlays: (ownRooms: string[]) => Promise<string[]>;
  /** State and number of a room at one moment; null when there is no such room. */
  readSnapshot: ReadRoom;
  readSequences: ReadSequences;
  log: Logger;
  /** Carries what one process says to the sockets of all; absent: there is one process. */
  adapter?: ServerOptions["adapter"];
}

const maxRoomsPerSocket = 30;
/** What ran out, or whose end wasn't heard of, closes its sockets within this time; what was lost is noticed within two. */
const roundMs = 3_000;
/** A client that doesn't read is let go when as many packets wait for it. */
const maxWaitingPackets = 1_000;

export function createRealtime(options: RealtimeOptions): RealtimeServer {
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

  const visitors = new Visitors(options.maxSocketsPerAddress);
  const visitorOf = new WeakMap<object, Visitor>();
  io.engine.on("connection", (connection: Connection) => {
    const visitor = visitors.enter(clientAddress(connection.request, options.trustedProxyHops));
    if (visitor === null) return connection.close();
    visitorOf.set(connection, visitor);
    connection.once("close", () => visitors.leave(visitor));
  });

  const beat = createHeartbeat(io, options.readSequences);
  const round = async (): Promise<void> => {
    visitors.forget();
    await closeEnded(io, options);
    await beat();
  };
  const rounds = setInterval(() => {
    round().catch((error: unknown) => options.log.error({ error }, "the sockets can't be looked after"));
  }, roundMs);
  rounds.unref();
  options.httpServer.once("close", () => clearInterval(rounds));

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
  const rules = { ...options, readRoom: shareReads(options.readSnapshot), visitorOf };
  serve(own, (socket, room) => room === `player:${socket.data.playerId}`, rules);
  serve(
    arena,
    (socket, room) =>
      !room.startsWith("player:") && (socket.data.overlay === undefined || room === socket.data.overlay.live),
    rules,
  );
  return io;
}

/** What engine.io says of a connection, before it belongs to a namespace. */
interface Connection {
  request: { headers: Record<string, unknown>; socket: { remoteAddress?: string } };
  close(): void;
  once(event: "close", heard: () => void): void;
}

interface Rules extends RealtimeOptions {
  readRoom: ReturnType<typeof shareReads>;
  visitorOf: WeakMap<object, Visitor>;
}

/** Closes every socket of a session that has ended. */
export function endSession(io: RealtimeServer, sessionId: string): void {
  for (const socket of io.of("/").sockets.values()) {
    if (socket.data.sessionId === sessionId) socket.disconnect(true);
  }
}

/** Closes what goes on without a right to: a notification of its end may have been lost. */
async function closeEnded(
  io: RealtimeServer,
  { endedSessions, replacedOverlays }: RealtimeOptions,
): Promise<void> {
  const sessions = distinct(io.of("/"), ({ sessionId }) => sessionId);
  if (sessions.length > 0) for (const sessionId of await endedSessions(sessions)) endSession(io, sessionId);
  const overlays = distinct(io.of("/arena"), ({ overlay }) => overlay?.own);
  if (overlays.length > 0)
    for (const own of await replacedOverlays(overlays))
      endOverlay(io.of("/arena").local, { own, sequence: 0 });
}

/** Tells an overlay that its link was replaced, and lets it go. */
export function endOverlay(
  arena: Pick<BroadcastOperator<ServerToClient, SocketData>, "in">,
  { own, sequence, at = new Date().toISOString() }: { own: string; sequence: number; at?: string },
): void {
  const overlays = arena.in(own);
  overlays.emit("overlay:replaced", { room: own, sequence, at, data: {} });
  overlays.disconnectSockets(true);
}

function distinct(
  namespace: Namespace<ClientToServer, ServerToClient, Record<string, never>, SocketData>,
  nameOf: (data: SocketData) => string | undefined,
): string[] {
  const names = [...namespace.sockets.values()].map(({ data }) => nameOf(data));
  return [...new Set(names.filter((name) => name !== undefined))];
}

function serve(
  namespace: Namespace<ClientToServer, ServerToClient, Record<string, never>, SocketData>,
  mayHear: (socket: RealtimeSocket, room: string) => boolean,
  rules: Rules,
): void {
  namespace.on("connection", (socket) => {
    const allowance = new Allowance({ perSecond: 10, burst: 40 });
    const visitor = rules.visitorOf.get(socket.conn);
    socket.use((_packet, next) => {
      if (allowance.take() && visitor?.allowance.take()) next();
      else socket.disconnect(true);
    });
    socket.on("subscribe", (body, answer) => {
      if (typeof answer !== "function") return;
      subscribe(socket, body, mayHear, rules).then(answer, (error: unknown) => {
        rules.log.error({ error }, "a subscription failed");
        answer({ ok: false, code: "internal", message: "Something went wrong here; try again." });
      });
    });
    socket.on("unsubscribe", (body) => {
      const parsed = subscribeBody.safeParse(body);
      if (parsed.success) void socket.leave(parsed.data.room);
    });
    const { overlay } = socket.data;
    if (overlay !== undefined) {
      admitOverlay(socket, overlay, rules).catch(() => socket.disconnect(true));
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
  endOverlay(socket.nsp.local, { own, sequence: 0 });
}

async function subscribe(
  socket: RealtimeSocket,
  body: unknown,
  mayHear: (socket: RealtimeSocket, room: string) => boolean,
  { readRoom }: Rules,
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
  const state = await readRoom(room);
  if (state === "overloaded") {
    await socket.leave(room);
    return { ok: false, code: "overloaded", message: "Too many ask at once; try again in a moment." };
  }
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

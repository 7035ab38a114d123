import type { AddressInfo } from "node:net";
import { io, type Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { transaction } from "../../engine/db/pool.ts";
import { createPublisher } from "../../engine/realtime/publisher.ts";
import { createRealtime, endSession, type RealtimeServer } from "../../engine/realtime/server.ts";
import { rooms, tell } from "../../engine/services/outbox.ts";
import { replacedOverlays, roomsOfOverlay, rotateOverlay } from "../../engine/services/overlays.ts";
import { takeEvents } from "../../engine/services/relay.ts";
import { createSessionReader, endedSessions } from "../../engine/services/sessions.ts";
import { readSequences, readSnapshot } from "../../engine/services/snapshots.ts";
import { runAsLeader } from "../../engine/workers/leader.ts";
import { type Arrival, RoomFollower } from "../../web/src/live/follower.ts";
import { takeNextEvents } from "../helpers/events.ts";
import { waitFor } from "../helpers/wait.ts";
import { openSite, type Player, type Site } from "../http/site.ts";
import { usdc } from "../services/wager-world.ts";

let site: Site;
let realtime: RealtimeServer;
let url: string;
let stopPublisher: () => Promise<void>;
let opened: Socket[];

beforeEach(async () => {
  site = await openSite();
  const { context, app, origin } = site;
  opened = [];
  realtime = createRealtime({
    httpServer: app.server,
    publicOrigin: origin,
    maxSocketsPerAddress: 20,
    trustedProxyHops: 1,
    readSession: createSessionReader(context),
    endedSessions: (sessionIds) => endedSessions(context, sessionIds),
    roomsOfOverlay: (token) => roomsOfOverlay(context, token),
    replacedOverlays: (ownRooms) => replacedOverlays(context, ownRooms),
    readSnapshot: (room) => readSnapshot(context, room),
    readSequences: (rooms) => readSequences(context, rooms),
    log: context.log,
  });
  startPublishing();
  await app.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const socket of opened) socket.disconnect();
  await stopPublisher();
  await realtime.close();
  await site.end();
});

function startPublishing(): void {
  const { context } = site;
  const stopping = new AbortController();
  const publisher = createPublisher({
    io: realtime,
    takeEvents: (input) => takeEvents(context, input),
    log: context.log,
  });
  const done = runAsLeader(context, { name: "relay", signal: stopping.signal, lead: publisher.run });
  stopPublisher = async () => {
    stopping.abort();
    await done;
  };
}

function connect(
  namespace: "/" | "/arena",
  {
    origin = site.origin,
    cookie,
    forwardedFor = "192.0.2.1",
    auth = {},
  }: { origin?: string; cookie?: string; forwardedFor?: string; auth?: Record<string, string> } = {},
): Socket {
  const socket = io(`${url}${namespace}`, {
    transports: ["websocket"],
    forceNew: true,
    reconnection: false,
    auth,
    extraHeaders: { origin, "x-forwarded-for": forwardedFor, ...(cookie === undefined ? {} : { cookie }) },
  });
  opened.push(socket);
  return socket;
}
const outcomeOf = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once("connect", () => resolve("connected"));
    socket.once("connect_error", (error) => resolve(error.message));
    // Refused before it was asked who it is; a refusal with a reason is told just after the close.
    socket.io.once("close", () => setImmediate(() => resolve("closed")));
  });
const own = (player: Player): Socket => connect("/", { cookie: player.browser.cookieHeader });
const subscribe = (socket: Socket, room: string) => socket.timeout(60_000).emitWithAck("subscribe", { room });

describe("a socket", () => {
  it("from another origin is refused, even with a cookie that is right", async () => {
    const player = await site.player();
    const socket = connect("/", { origin: "https://evil.example", cookie: player.browser.cookieHeader });
    expect(await outcomeOf(socket)).not.toBe("connected");
  });

  it("without a session, or with one made up, hears nothing of players", async () => {
    expect(await outcomeOf(connect("/"))).toBe("not_signed_in");
    expect(await outcomeOf(connect("/", { cookie: "otr_session=made-up" }))).toBe("not_signed_in");
  });

  it("can't listen in another player's room, nor in one of players from the public side", async () => {
    const [marcus, ana] = [await site.player(), await site.player()];
    const socket = own(marcus);
    expect(await subscribe(socket, `player:${ana.id}`)).toMatchObject({ ok: false, code: "not_allowed" });
    expect(await subscribe(connect("/arena"), `player:${ana.id}`)).toMatchObject({
      ok: false,
      code: "not_allowed",
    });
    expect(await subscribe(socket, "player:1; DROP TABLE player")).toMatchObject({
      ok: false,
      code: "request_invalid",
    });
    expect(await subscribe(socket, `player:${marcus.id}`)).toMatchObject({
      ok: true,
      snapshot: { kind: "player" },
    });
  });

  it("is closed within five seconds of the end of its session", async () => {
    const player = await site.player();
    const socket = own(player);
    expect(await outcomeOf(socket)).toBe("connected");
    await player.browser.get("logout", { body: {} });
    await waitFor(() => !socket.connected, { what: "the socket to be closed", timeoutMs: 5_000 });
  });

  it("that asks a thousand times a second is let go; the others don't notice", async () => {
    const [loud, quiet] = [connect("/arena"), connect("/arena")];
    expect(await Promise.all([loud, quiet].map(outcomeOf))).toEqual(["connected", "connected"]);
    for (let index = 0; index < 1_000; index += 1) loud.emit("subscribe", { room: "arena" }, () => undefined);
    await waitFor(() => !loud.connected, { what: "the loud socket to be closed" });
    expect(await subscribe(quiet, "arena")).toMatchObject({ ok: true });
  });

  it("can't renew what its address may ask by coming back, and no other address pays for it", async () => {
    let asked = 0;
    const startedAtMs = performance.now();
    for (let outcome = "connected"; outcome === "connected"; ) {
      const socket = connect("/arena");
      outcome = await outcomeOf(socket);
      if (outcome !== "connected") break;
      const before = asked;
      for (let index = 0; index < 30; index += 1)
        socket.emit("subscribe", { room: "arena" }, () => (asked += 1));
      await waitFor(() => asked === before + 30 || !socket.connected, { what: "an answer, or the end" });
      socket.disconnect();
    }
    expect(asked).toBeGreaterThan(29);
    // Ten times and once a second for each of the twenty sockets that it may have.
    const seconds = (performance.now() - startedAtMs) / 1_000;
    expect(asked).toBeLessThanOrEqual(20 * (10 + seconds));
    const other = connect("/arena", { forwardedFor: "2001:db8::1" });
    expect(await outcomeOf(other)).toBe("connected");
  });

  it("beyond the limit of one address isn't let in, and one is again when another has left", async () => {
    const first = Array.from({ length: 20 }, () => connect("/arena"));
    expect(new Set(await Promise.all(first.map(outcomeOf)))).toEqual(new Set(["connected"]));
    const beyond = connect("/arena");
    expect(await outcomeOf(beyond)).toBe("closed");
    first[0]?.disconnect();
    await waitFor(async () => (await outcomeOf(connect("/arena"))) === "connected", { what: "a free place" });
  });
});

describe("events", () => {
  /** Without the room's number, which is told every few seconds. */
  const keep = (batches: Arrival[], batch: Arrival): void => {
    if (batch.events.length > 0) batches.push(batch);
  };
  const names = async (playerId: string, sequence: number): Promise<void> => {
    await transaction(site.context.pool, (tx) =>
      tell(
        tx,
        Array.from({ length: sequence }, () => ({
          rooms: [rooms.live(playerId)],
          name: "overlay:replaced" as const,
          data: {},
        })),
      ),
    );
  };

  it("carry on from the snapshot's number without a gap", async () => {
    const [marcus, ana] = [await site.player({ baseUnits: 100n }), await site.player()];
    const socket = own(marcus);
    const heard: { name: string; sequence: number }[] = [];
    socket.onAny((name: string, { sequence }: { sequence: number }) => {
      if (name !== "batch") heard.push({ name, sequence });
    });
    const answer = await subscribe(socket, `player:${marcus.id}`);
    for (let index = 0; index < 3; index += 1) {
      await marcus.browser.get("propose", {
        body: {
          opponent: { handle: ana.handle },
          token: usdc,
          proposerStake: "1",
          takerStake: "1",
          terms: `Game ${index}`,
          expectedMinutes: 5,
        },
      });
    }
    // One balance is enough for offers that are told of together.
    await waitFor(
      () =>
        heard.filter(({ name }) => name === "proposal:update").length === 3 &&
        heard.some(({ name }) => name === "pool:balance"),
      { what: "each offer, and the pool" },
    );
    expect(heard.map(({ sequence }) => sequence)).toEqual(
      heard.map((_, index) => answer.sequence + 1 + index),
    );
  });

  it("of what was rolled back are never heard; of what was committed before a crash, afterwards (SAFETY 39)", async () => {
    const player = await site.player();
    const socket = connect("/arena");
    const batches: Arrival[] = [];
    socket.on("batch", (batch: Arrival) => keep(batches, batch));
    const { sequence } = await subscribe(socket, `live:${player.id}`);
    await stopPublisher();
    await transaction(
      site.context.pool,
      (tx) => tell(tx, [{ rooms: [rooms.live(player.id)], name: "overlay:replaced", data: {} }]),
      { keep: () => false },
    );
    await names(player.id, 1);
    startPublishing();
    await waitFor(() => batches.length === 1, { what: "the event that was committed" });
    expect(batches[0]?.sequence).toBe(sequence + 1);
  });

  it("of a public room come in at most ten batches a second, in order", async () => {
    const player = await site.player();
    const socket = connect("/arena");
    const batches: Arrival[] = [];
    socket.on("batch", (batch: Arrival) => keep(batches, batch));
    const { sequence } = await subscribe(socket, `live:${player.id}`);
    const startedAtMs = performance.now();
    for (let index = 0; index < 30; index += 1) await names(player.id, 1);
    await waitFor(() => batches.at(-1)?.sequence === sequence + 30, { what: "the last event" });
    expect(batches.map(({ from }) => from)).toEqual([
      sequence + 1,
      ...batches.slice(0, -1).map((batch) => batch.sequence + 1),
    ]);
    // From before the first was sent until the last has come: they may be held up on their way.
    const spanMs = performance.now() - startedAtMs;
    expect(batches.length).toBeLessThanOrEqual(Math.ceil(spanMs / 100) + 2);
  });

  it("of which the last was lost, and nothing follows: the room's number is told", async () => {
    const player = await site.player();
    const room = rooms.live(player.id);
    const socket = connect("/arena");
    const { sequence } = await subscribe(socket, room);
    await stopPublisher();
    // The relay dies between its commit and the sending.
    await names(player.id, 2);
    await takeNextEvents(site.context, 100);
    const beats: Arrival[] = [];
    socket.on("batch", (beat: Arrival) => beats.push(beat));
    const last = sequence + 2;
    // The number from before may be told first.
    const beat = await waitFor(() => beats.find((one) => one.sequence === last), {
      ...{ what: "the room's number", timeoutMs: 15_000 },
    });
    expect(beat).toEqual({ room, from: last + 1, sequence: last, events: [] });
    expect(beats.flatMap(({ events }) => events)).toEqual([]);
    const follower = new RoomFollower();
    follower.start(sequence);
    expect(follower.receive(beat)).toEqual({ gap: true });
    follower.start((await subscribe(socket, room)).sequence);
    expect(follower.receive(beat)).toEqual({ gap: false, events: [] });
  });
});

describe("an overlay's link", () => {
  it("that was replaced closes its sockets, though nobody told this process", async () => {
    const marcus = await site.player();
    const link = await rotateOverlay(site.context, { playerId: marcus.id, handle: marcus.handle });
    if (!link.ok) throw new Error("no link was made");
    const overlayToken = new URL(link.value.path, site.origin).searchParams.get("token") ?? "";
    const socket = connect("/arena", { auth: { overlayToken } });
    expect(await outcomeOf(socket)).toBe("connected");
    let isTold = false;
    socket.on("overlay:replaced", () => (isTold = true));
    await stopPublisher();
    await rotateOverlay(site.context, { playerId: marcus.id, handle: marcus.handle });
    await waitFor(() => isTold && !socket.connected, { what: "its end", timeoutMs: 10_000 });
  });

  it("opens its player's room alone, and dies when it is replaced", async () => {
    const [marcus, ana] = [await site.player(), await site.player()];
    const link = await rotateOverlay(site.context, { playerId: marcus.id, handle: marcus.handle });
    if (!link.ok) throw new Error("no link was made");
    const overlayToken = new URL(link.value.path, site.origin).searchParams.get("token") ?? "";
    const socket = connect("/arena", { auth: { overlayToken } });
    expect(await outcomeOf(socket)).toBe("connected");
    expect(await subscribe(socket, `live:${ana.id}`)).toMatchObject({ ok: false, code: "not_allowed" });
    expect(await subscribe(socket, `live:${marcus.id}`)).toMatchObject({
      ok: true,
      snapshot: { kind: "live" },
    });
    const next = await rotateOverlay(site.context, { playerId: marcus.id, handle: marcus.handle });
    if (!next.ok) throw new Error("no link was made");
    // The new one is opened before the old one's end has been told of, and stays.
    const nextToken = new URL(next.value.path, site.origin).searchParams.get("token") ?? "";
    const standing = connect("/arena", { auth: { overlayToken: nextToken } });
    expect(await outcomeOf(standing)).toBe("connected");
    await waitFor(() => !socket.connected, { what: "the old link's socket to be closed" });
    expect(await outcomeOf(connect("/arena", { auth: { overlayToken } }))).toBe("overlay_replaced");
    expect(standing.connected).toBe(true);
  });
});

it("every socket of an ended session is closed at once when the process hears of it", async () => {
  const player = await site.player();
  const socket = own(player);
  expect(await outcomeOf(socket)).toBe("connected");
  const session = await createSessionReader(site.context)(player.browser.cookieHeader);
  if (session === null) throw new Error("the player is signed in");
  endSession(realtime, session.sessionId);
  await waitFor(() => !socket.connected, { what: "the socket to be closed" });
});

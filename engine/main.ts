/** The composition root: the only file that knows everything. Configuration in, a running engine out. */

import { existsSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Chain } from "./chain/client.ts";
import { RpcRefusedError } from "./chain/errors.ts";
import { type Config, ConfigError } from "./config.ts";
import { migrate } from "./db/migrate.ts";
import { createWaker, listen } from "./db/notify.ts";
import { createPool, whyUnreachable } from "./db/pool.ts";
import { openFoundation } from "./foundation.ts";
import { buildApp, type HttpOptions } from "./http/app.ts";
import type { NodeAnswer } from "./http/plugins/node-proxy.ts";
import { adapterConnections, openCluster } from "./realtime/cluster.ts";
import { createPublisher, type Publisher } from "./realtime/publisher.ts";
import { createRealtime, endSession } from "./realtime/server.ts";
import { awaitBooks } from "./services/chain-events.ts";
import type { Context } from "./services/context.ts";
import { replacedOverlays, roomsOfOverlay } from "./services/overlays.ts";
import { recoverIfOld } from "./services/recovery.ts";
import { takeEvents } from "./services/relay.ts";
import { createSessionReader, endedSessions } from "./services/sessions.ts";
import { readSequences, readSnapshot } from "./services/snapshots.ts";
import { awaitTokens, shareTokens } from "./services/tokens.ts";
import { awaitWallets, prepareWallets } from "./services/wallets.ts";
import { startChainWork } from "./workers/chain.ts";
import { startDeadlines } from "./workers/deadlines.ts";
import { type Leases, leaseConnections, runAsLeader } from "./workers/leader.ts";
import { keepTokensFresh } from "./workers/tokens.ts";
import { watcherConnections } from "./workers/watcher.ts";

export interface Engine {
  /** Where it listens, such as `http://127.0.0.1:4200`. */
  address: string;
  origin: string;
  vaultAddress: string;
  gasAddress: string;
  /** Fulfilled with a sentence when it can't go on; whoever started it stops it and starts anew. */
  failed: Promise<string>;
  /** Stops taking work, lets what runs finish, and is out within ten seconds. Safe to call twice. */
  stop(): Promise<void>;
}

/** @throws ConfigError, or with a sentence that says what to do, when it can't start. */
export async function startEngine(config: Config): Promise<Engine> {
  const { ROLE: role } = config;
  await refuseUnreachable(config);
  if (config.DATABASE_OWNER_URL !== undefined) await migrate(config.DATABASE_OWNER_URL);
  const foundation = await openFoundation(config, { keys: role === "api" ? "none" : "own" });
  const { log, pool } = foundation.context;
  const createOwnPool = (maxConnections: number) => createPool({ url: config.DATABASE_URL, maxConnections });
  const leases = { log, pool: createOwnPool(leaseConnections) };
  const watcherPool = createOwnPool(watcherConnections);
  shareTokens(pool, watcherPool);
  const wakeOthers = createWaker(pool, "outbox");
  let nudge = wakeOthers;
  const context: Context = { ...foundation.context, nudge: () => nudge() };
  const stopping = new AbortController();
  const { signal } = stopping;
  const running: Promise<unknown>[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  let stopped: Promise<void> | null = null;
  const end = async (): Promise<void> => {
    stopping.abort();
    for (const close of closing.reverse()) await close();
    await Promise.allSettled(running);
    await watcherPool.end();
    await leases.pool.end();
    await foundation.close();
  };
  const stop = (): Promise<void> => {
    stopped ??= end();
    return stopped;
  };

  try {
    const { vault, gas } =
      role === "api" ? await awaitWallets({ pool, signal }) : await prepareWallets(context);
    if (role !== "api") await recoverIfOld(context);
    const app = await buildApp(httpOptions(config, context));
    closing.push(() => app.close());
    if (role !== "chain") {
      const { publisher, done } = serveSockets(config, context, {
        httpServer: app.server,
        leases,
        signal,
        closing,
      });
      running.push(done);
      nudge = () => {
        if (!publisher.nudge()) wakeOthers();
      };
    }
    if (role !== "api")
      running.push(
        startChainWork(context, { leases, watcherPool, signal, tried: foundation.tried }),
        startDeadlines(context, { signal }),
      );
    await awaitTokens({ pool, signal });
    await awaitBooks({ pool, signal });
    running.push(keepTokensFresh(context, { configured: config.TOKENS, signal }));
    const address = await app.listen({ host: config.HOST, port: config.PORT }).catch(refuseTaken(config));
    log.info({ address, role, vault, gas }, "On the Rail runs");
    if (context.chain.quorum < 2 && !context.settings.chainIsLocal)
      log.warn("one node's word is believed: BASE_RPC_URLS names one provider with an http address");
    const failed = foundation.keysLost.then(() => {
      const why = "The process that holds the keys has ended.";
      if (!signal.aborted) log.fatal(why);
      return why;
    });
    return { address, origin: config.PUBLIC_ORIGIN, vaultAddress: vault, gasAddress: gas, failed, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** @throws ConfigError that names each database login that doesn't work */
async function refuseUnreachable(config: Config): Promise<void> {
  const logins = ["DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_SIGNER_URL"] as const;
  const problems = await Promise.all(
    logins.map(async (name) => {
      const { [name]: url } = config;
      const why = url === undefined ? null : await whyUnreachable(url);
      return why === null ? [] : [`${name}: no login at this Postgres: ${why}`];
    }),
  );
  if (problems.flat().length > 0) throw new ConfigError(problems.flat());
}

/** @throws ConfigError where another program has the port */
function refuseTaken({ HOST, PORT }: Config): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    const what = `another program listens on ${HOST}:${PORT}; stop that one, or name another port`;
    throw new ConfigError([`PORT: ${what}.`]);
  };
}

function httpOptions(config: Config, context: Context): HttpOptions {
  const { chain, settings } = context;
  return {
    context,
    trustedProxyHops: config.TRUSTED_PROXY_HOPS,
    requestsPerMinute: config.REQUESTS_PER_MINUTE,
    servesApi: config.ROLE !== "chain",
    webDirectory: webDirectory(),
    callNode: settings.chainIsLocal ? (call) => passToNode(chain, call) : undefined,
  };
}

/** Sockets, and the relay that tells them what was committed: in one process of all that serve sockets. */
function serveSockets(
  config: Config,
  context: Context,
  {
    httpServer,
    leases,
    signal,
    closing,
  }: {
    httpServer: HttpServer;
    leases: Leases;
    signal: AbortSignal;
    closing: (() => Promise<unknown>)[];
  },
): { publisher: Publisher; done: Promise<unknown> } {
  const { log } = context;
  const { DATABASE_URL: url } = config;
  const isOneOfMany = config.ROLE === "api";
  const cluster = isOneOfMany
    ? openCluster(createPool({ url, maxConnections: adapterConnections }), log)
    : null;
  const io = createRealtime({
    httpServer,
    publicOrigin: config.PUBLIC_ORIGIN,
    maxSocketsPerAddress: config.SOCKETS_PER_ADDRESS,
    trustedProxyHops: config.TRUSTED_PROXY_HOPS,
    readSession: createSessionReader(context),
    endedSessions: (sessionIds) => endedSessions(context, sessionIds),
    roomsOfOverlay: (token) => roomsOfOverlay(context, token),
    replacedOverlays: (ownRooms) => replacedOverlays(context, ownRooms),
    readSnapshot: (room) => readSnapshot(context, room),
    readSequences: (rooms) => readSequences(context, rooms),
    log,
    ...(cluster === null ? {} : { adapter: cluster.adapter }),
  });
  closing.push(async () => {
    await io.close();
    await cluster?.close();
  });
  const publisher = createPublisher({
    io,
    takeEvents: (input) => takeEvents(context, input),
    log,
    isOneOfMany,
  });
  const done = Promise.all([
    runAsLeader(leases, {
      name: "relay",
      signal,
      lead: publisher.run,
    }),
    listen(url, "outbox", publisher.nudge, signal),
    listen(url, "session_ended", (sessionId) => sessionId && endSession(io, sessionId), signal),
  ]);
  return { publisher, done };
}

/** What the web build made; null before it: then only the API is served. */
function webDirectory(): string | undefined {
  const directory = fileURLToPath(new URL("../web/dist", import.meta.url));
  return existsSync(directory) ? directory : undefined;
}

/** The development wallets' way to the local node. */
async function passToNode(
  chain: Chain,
  { method, params }: { method: string; params: unknown[] },
): Promise<NodeAnswer> {
  try {
    return { result: await chain.ask(method, params, z.unknown()) };
  } catch (error) {
    if (error instanceof RpcRefusedError)
      return { error: { code: error.rpcCode, message: error.message, data: error.data } };
    return { error: { code: -32_000, message: "The local chain doesn't answer." } };
  }
}

/** The composition root: the only file that knows everything. Configuration in, a running engine out. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Chain } from "./chain/client.ts";
import { RpcRefusedError } from "./chain/errors.ts";
import type { Config } from "./config.ts";
import { migrate } from "./db/migrate.ts";
import { listen } from "./db/notify.ts";
import { openFoundation } from "./foundation.ts";
import { buildApp } from "./http/app.ts";
import type { NodeAnswer } from "./http/plugins/node-proxy.ts";
import { startPublisher } from "./realtime/publisher.ts";
import { createRealtime, endSession } from "./realtime/server.ts";
import type { Context } from "./services/context.ts";
import { playerOfOverlayToken } from "./services/overlays.ts";
import { takeEvents } from "./services/relay.ts";
import { createSessionReader, endedSessions } from "./services/sessions.ts";
import { readSnapshot } from "./services/snapshots.ts";
import { prepareWallets } from "./services/wallets.ts";
import { startChainWork } from "./workers/chain.ts";
import { startDeadlines } from "./workers/deadlines.ts";

export interface Engine {
  /** Where it listens, such as `http://127.0.0.1:4200`. */
  address: string;
  origin: string;
  vaultAddress: string;
  gasAddress: string;
  /** Stops taking work, lets what runs finish, and is out within ten seconds. */
  stop(): Promise<void>;
}

/** @throws ConfigError, or with a sentence that says what to do, when it can't start. */
export async function startEngine(config: Config): Promise<Engine> {
  if (config.DATABASE_OWNER_URL !== undefined) await migrate(config.DATABASE_OWNER_URL);
  const foundation = await openFoundation(config, { keys: "own" });
  const { chain, settings, log } = foundation.context;
  let nudge = (): void => undefined;
  const context: Context = { ...foundation.context, nudge: () => nudge() };
  const stopping = new AbortController();
  const running: Promise<unknown>[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    stopping.abort();
    for (const close of closing.reverse()) await close();
    await Promise.allSettled(running);
    await foundation.close();
  };

  try {
    const { vault, gas } = await prepareWallets(context);

    const app = await buildApp({
      context,
      trustedProxyHops: config.TRUSTED_PROXY_HOPS,
      requestsPerMinute: config.REQUESTS_PER_MINUTE,
      webDirectory: webDirectory(),
      callNode: settings.chainIsLocal ? (call) => passToNode(chain, call) : undefined,
    });
    closing.push(() => app.close());
    const io = createRealtime({
      httpServer: app.server,
      publicOrigin: config.PUBLIC_ORIGIN,
      maxSocketsPerAddress: config.SOCKETS_PER_ADDRESS,
      trustedProxyHops: config.TRUSTED_PROXY_HOPS,
      readSession: createSessionReader(context),
      endedSessions: (sessionIds) => endedSessions(context, sessionIds),
      playerOfOverlayToken: (token) => playerOfOverlayToken(context, token),
      readSnapshot: (room) => readSnapshot(context, room),
      log,
    });
    closing.push(() => io.close());
    running.push(
      listen(
        config.DATABASE_URL,
        "session_ended",
        (sessionId) => sessionId && endSession(io, sessionId),
        stopping.signal,
      ),
    );

    const publisher = startPublisher({
      io,
      takeEvents: (limit) => takeEvents(context, limit),
      log,
      signal: stopping.signal,
    });
    running.push(publisher.done, listen(config.DATABASE_URL, "outbox", publisher.nudge, stopping.signal));
    nudge = publisher.nudge;

    running.push(
      startChainWork(context, { signal: stopping.signal }),
      startDeadlines(context, { signal: stopping.signal }),
    );
    const address = await app.listen({ host: config.HOST, port: config.PORT });
    log.info({ address, vault, gas }, "On the Rail runs");
    return { address, origin: config.PUBLIC_ORIGIN, vaultAddress: vault, gasAddress: gas, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
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

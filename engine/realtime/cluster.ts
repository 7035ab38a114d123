/** Lets several processes reach each other's sockets through Postgres. */
import { createAdapter } from "@socket.io/postgres-adapter";
import type { PoolClient } from "pg";
import type { Logger } from "pino";
import type { ServerOptions } from "socket.io";

type Pool = Parameters<typeof createAdapter>[0];

/** A notification holds 8,000 bytes; what is longer goes through the table `socket_io_attachments`. */
const longestNotification = 7_900;
/** Of one connection to hear and one to speak: what is said arrives in the order in which it was said. */
export const adapterConnections = 2;

export interface Cluster {
  adapter: ServerOptions["adapter"];
  /** Ends the pool too. After the sockets' server. */
  close(): Promise<void>;
}

/** @param pool of `adapterConnections`, for this alone; what is lost on the way shows as a gap in a room's numbers */
export function openCluster(pool: Pool, log: Logger): Cluster {
  let heard: PoolClient | null = null;
  let isClosed = false;
  pool.on("release", (_, client) => {
    if (client === heard) heard = null;
  });
  // The adapter gives back what it hears on at its close, but not what it is only about to hear on.
  const letGo = (): void => heard?.release(true);
  const connect = async (): Promise<PoolClient> => {
    // The one before has broken, and the adapter has only forgotten it.
    letGo();
    if (!isClosed) heard = await pool.connect();
    if (isClosed) letGo();
    // To one that is closed there is nothing more to say: it would ask again for ever.
    return isClosed || heard === null ? new Promise<never>(() => undefined) : heard;
  };
  const lent = { connect, query: pool.query.bind(pool) };
  return {
    adapter: createAdapter(lent as Pool, {
      channelPrefix: "on_the_rail",
      payloadThreshold: longestNotification,
      errorHandler: (error) => log.warn({ error }, "sockets of other processes weren't reached"),
    }) as unknown as ServerOptions["adapter"],
    close: async () => {
      isClosed = true;
      letGo();
      await pool.end();
    },
  };
}

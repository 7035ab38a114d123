/** Lets several processes reach each other's sockets through Postgres. */
import { createAdapter } from "@socket.io/postgres-adapter";
import type { Logger } from "pino";
import type { ServerOptions } from "socket.io";

type Pool = Parameters<typeof createAdapter>[0];

/** A notification holds 8,000 bytes; what is longer goes through the table `socket_io_attachments`. */
const longestNotification = 7_900;
/** Of one connection to hear and one to speak: what is said arrives in the order in which it was said. */
export const adapterConnections = 2;

/** @param pool of `adapterConnections`, for this alone; what is lost on the way shows as a gap in a room's numbers */
export const clusterAdapter = (pool: Pool, log: Logger): ServerOptions["adapter"] =>
  createAdapter(pool, {
    channelPrefix: "on_the_rail",
    payloadThreshold: longestNotification,
    errorHandler: (error) => log.warn({ error }, "sockets of other processes weren't reached"),
  }) as unknown as ServerOptions["adapter"];

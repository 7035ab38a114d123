import { findFreePort } from "../../scripts/local/processes.ts";

/** Nothing else picks a port from here: who listens on one finds it free again after a stop. */
const lastingPorts = { from: 12_000, to: 20_000 };

/** A loopback port for a server that is stopped and started again. */
export const findLastingPort = (): Promise<number> => findFreePort(lastingPorts);

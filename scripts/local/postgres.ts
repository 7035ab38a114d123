import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { findLeftOver, recordProcess } from "./left-over.ts";
import { endWithUs } from "./orphans.ts";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import { clusterOf, initialiseCluster, readOrMakePassword, wasKilled } from "./postgres-cluster.ts";
import { prepareRoles, type RoleUrls } from "./postgres-roles.ts";
import { choosePostgresUser, type PostgresUser } from "./postgres-user.ts";
import {
  endProcess,
  findFreePort,
  isPortFree,
  isRunning,
  markOf,
  type ProcessMark,
  startProcess,
} from "./processes.ts";

const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
/** The children of a killed server end within moments; until then a new one refuses to start. */
const attemptsAfterKill = 10;

export type LocalPostgres = RoleUrls & { process: ProcessMark; stop(): Promise<void> };

/**
 * Starts a Postgres of our own on a loopback port (0 or absent picks a free one), with its data under `dataDir`, the
 * database `on_the_rail`, its owner, and the application's login `on_the_rail_server` in the group `on_the_rail_app`.
 *
 * With `persist` the data comes back at the next start, also after a kill; a server left behind by a killed engine is
 * stopped in order first. Without it, speed goes before surviving a power failure and `stop()` removes the data.
 *
 * @throws when the port is taken, when another engine uses the folder, or when the server doesn't start, with what it
 * logged.
 */
export async function startLocalPostgres(options: {
  dataDir: string;
  port?: number | undefined;
  persist: boolean;
}): Promise<LocalPostgres> {
  const { persist } = options;
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const leftOver = await findLeftOver(dataDir, "postgres");
  if (leftOver) await endProcess(leftOver.process, { signal: "SIGINT", patienceMs: stopTimeoutMs });
  const port = options.port || (await findFreePort());
  if (!(await isPortFree(port))) {
    throw new Error(`Port ${port} is taken, so the local Postgres can't listen on it`);
  }

  const user = choosePostgresUser(dataDir);
  const password = await readOrMakePassword(dataDir);
  await initialiseCluster(dataDir, { user, password, sync: persist });

  const superuserUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres${overSocket(dataDir)}`;
  const server = await startUntilReady(dataDir, { user, port, persist, superuserUrl });
  const stop = async () => {
    await endProcess(server, { signal: "SIGINT", patienceMs: stopTimeoutMs });
    if (!persist) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return { ...(await prepareRoles(superuserUrl)), process: server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type ServerOptions = { user: PostgresUser; port: number; persist: boolean; superuserUrl: string };

async function startUntilReady(dataDir: string, options: ServerOptions): Promise<ProcessMark> {
  const attempts = (await wasKilled(dataDir)) ? attemptsAfterKill : 1;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const server = await startServer(dataDir, options);
    if (await becomesReady(server, options.superuserUrl)) return server;
    await endProcess(server, { signal: "SIGINT", patienceMs: stopTimeoutMs });
    if (attempt < attempts) await delay(200);
  }
  const log = await readFile(logOf(dataDir), "utf8").catch(() => "");
  throw new Error(`The local Postgres didn't start: ${log.trim().split("\n").slice(-5).join("\n")}`);
}

async function startServer(dataDir: string, { user, port, persist }: ServerOptions): Promise<ProcessMark> {
  const settings = [
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${socketFolderOf(dataDir)}`,
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    ...(persist ? [] : ["fsync=off", "full_page_writes=off"]),
  ].flatMap((setting) => ["-c", setting]);
  const flags = ["-D", clusterOf(dataDir), "-p", String(port), ...settings];
  const { program, flags: allFlags, spawnAs } = user.lend(findPostgresBinaries().postgres, flags);

  const log = openSync(logOf(dataDir), "w");
  try {
    const stdio: ["ignore", number, number] = ["ignore", log, log];
    const child = await startProcess(program, allFlags, { ...spawnAs, cwd: "/", stdio, detached: persist });
    if (child.pid === undefined) throw new Error("Postgres has no process id");
    const server = markOf(child.pid);
    await recordProcess(dataDir, "postgres", { process: server, address: `127.0.0.1:${port}` });
    if (!persist) endWithUs(child, "INT");
    child.unref();
    return server;
  } finally {
    closeSync(log);
  }
}

/** Waits until the server lets us in; false when it ends instead, or takes longer than a minute. */
async function becomesReady(server: ProcessMark, superuserUrl: string): Promise<boolean> {
  const giveUpAt = Date.now() + startTimeoutMs;
  while (isRunning(server) && Date.now() < giveUpAt) {
    const client = new pg.Client({ connectionString: superuserUrl, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      return true;
    } catch {
      await delay(20);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

/** Empty where the system or Postgres couldn't read the path: then connections go over loopback. */
function socketFolderOf(dataDir: string): string {
  const folder = clusterOf(dataDir);
  return /^[\w./-]{1,80}$/.test(folder) ? folder : "";
}

/** What a connection string ends with: a socket on the same machine saves half of the way that a packet takes. */
function overSocket(dataDir: string): string {
  const folder = socketFolderOf(dataDir);
  return folder === "" ? "" : `?host=${folder}`;
}

function logOf(dataDir: string): string {
  return join(dataDir, "postgres.log");
}

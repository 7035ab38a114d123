import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, closeSync, openSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { findLeftOver, recordProcess } from "./left-over.ts";
import { endWithUs } from "./orphans.ts";
import { findPostgresBinaries } from "./postgres-binaries.ts";
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

export type LocalPostgres = RoleUrls & { process: ProcessMark; stop(): Promise<void> };

/**
 * Starts a Postgres of our own on a loopback port (0 or absent picks a free one), with its data under `dataDir`, the
 * database `on_the_rail`, its owner, and the application's login `on_the_rail_server` in the group `on_the_rail_app`.
 *
 * With `persist` the data comes back at the next start, also after a kill; a server left behind by a killed engine is
 * stopped in order first. Without it, speed goes before surviving a power failure and `stop()` removes the data.
 *
 * @throws when the port is taken or the server doesn't start, with what it logged.
 */
export async function startLocalPostgres(options: {
  dataDir: string;
  port?: number;
  persist: boolean;
}): Promise<LocalPostgres> {
  const { persist } = options;
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const leftOver = await findLeftOver(dataDir, "postgres");
  if (leftOver) await endProcess(leftOver.process, { signal: "SIGINT", patienceMs: stopTimeoutMs });

  const user = choosePostgresUser(dataDir);
  const password = await readOrMakePassword(dataDir);
  await initialiseCluster(dataDir, { user, password, persist });
  const port = options.port || (await findFreePort());
  if (!(await isPortFree(port)))
    throw new Error(`Port ${port} is taken, so the local Postgres can't listen on it`);

  const server = await startServer(dataDir, { user, port, persist });
  const stop = async () => {
    await endProcess(server, { signal: "SIGINT", patienceMs: stopTimeoutMs });
    if (!persist) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const superuserUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    await waitUntilReady(superuserUrl, { server, dataDir });
    return { ...(await prepareRoles(superuserUrl)), process: server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readOrMakePassword(dataDir: string): Promise<string> {
  const file = join(dataDir, "password");
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const password = randomBytes(24).toString("hex");
  await writeFile(`${file}.new`, password, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return password;
}

/** Makes the cluster beside its place and moves it there when complete, so that a kill leaves none or a whole one. */
async function initialiseCluster(
  dataDir: string,
  options: { user: PostgresUser; password: string; persist: boolean },
): Promise<void> {
  const { user, password, persist } = options;
  const cluster = join(dataDir, "cluster");
  if (await readFile(join(cluster, "PG_VERSION")).catch(() => undefined)) return;

  const unfinished = join(dataDir, "cluster.new");
  const passwordFile = join(dataDir, "password.initdb");
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await chmod(passwordFile, 0o600);
  for (const path of [unfinished, passwordFile]) if (user.ids) chownSync(path, user.ids.uid, user.ids.gid);

  const flags = [
    "--pgdata",
    unfinished,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
  ];
  flags.push("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  if (!persist) flags.push("--no-sync");
  try {
    const [program, ...rest] = user.command(findPostgresBinaries().initdb, flags);
    await promisify(execFile)(program, rest, { ...user.ids, cwd: "/", timeout: startTimeoutMs });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, cluster);
}

async function startServer(
  dataDir: string,
  options: { user: PostgresUser; port: number; persist: boolean },
): Promise<ProcessMark> {
  const { user, port, persist } = options;
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    ...(persist ? [] : ["fsync=off", "full_page_writes=off"]),
  ];
  const flags = [
    "-D",
    join(dataDir, "cluster"),
    "-p",
    String(port),
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
  const [program, ...rest] = user.command(findPostgresBinaries().postgres, flags);

  const log = openSync(join(dataDir, "postgres.log"), "w");
  try {
    const stdio: ["ignore", number, number] = ["ignore", log, log];
    const child = await startProcess(program, rest, { ...user.ids, cwd: "/", stdio, detached: persist });
    const { pid } = child;
    if (pid === undefined) throw new Error("Postgres has no process id");
    const server = markOf(pid);
    await recordProcess(dataDir, "postgres", { process: server, address: `127.0.0.1:${port}` });
    if (!persist) endWithUs(child, "INT");
    child.unref();
    return server;
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(url: string, context: { server: ProcessMark; dataDir: string }): Promise<void> {
  const giveUpAt = Date.now() + startTimeoutMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (!isRunning(context.server) || Date.now() > giveUpAt) {
        const log = await readFile(join(context.dataDir, "postgres.log"), "utf8").catch(() => "");
        throw new Error(`The local Postgres didn't start: ${log.trim().split("\n").slice(-5).join("\n")}`, {
          cause: error,
        });
      }
    } finally {
      await client.end().catch(() => undefined);
    }
    await delay(20);
  }
}

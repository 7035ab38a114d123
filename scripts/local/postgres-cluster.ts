import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import type { PostgresUser } from "./postgres-user.ts";
import { commandOf } from "./processes.ts";

const initialiseTimeoutMs = 60_000;

export function clusterOf(dataDir: string): string {
  return join(dataDir, "cluster");
}

/** The superuser's password: random, made once, in a file that only we can read. */
export async function readOrMakePassword(dataDir: string): Promise<string> {
  const file = join(dataDir, "password");
  if (existsSync(file)) return (await readFile(file, "utf8")).trim();
  const password = randomBytes(24).toString("hex");
  await writeFile(`${file}.new`, password, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return password;
}

/** Makes the cluster beside its place and moves it there when complete, so that a kill leaves none or a whole one. */
export async function initialiseCluster(
  dataDir: string,
  options: { user: PostgresUser; password: string; sync: boolean },
): Promise<void> {
  const { user, password, sync } = options;
  if (existsSync(join(clusterOf(dataDir), "PG_VERSION"))) return;

  const unfinished = join(dataDir, "cluster.new");
  const passwordFile = join(dataDir, "password.initdb");
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  for (const path of [unfinished, passwordFile]) if (user.ids) chownSync(path, user.ids.uid, user.ids.gid);

  const flags = ["--pgdata", unfinished, "--username=postgres", `--pwfile=${passwordFile}`];
  flags.push("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C");
  flags.push("--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  if (!sync) flags.push("--no-sync");
  const { program, flags: allFlags, spawnAs } = user.lend(findPostgresBinaries().initdb, flags);
  try {
    await promisify(execFile)(program, allFlags, { ...spawnAs, cwd: "/", timeout: initialiseTimeoutMs });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, clusterOf(dataDir));
}

/**
 * Whether the last server on this cluster was killed. It leaves a lock file with its process id, and the next one
 * refuses to start when any process has that id by now, as after a restart of the machine: then the file is removed. The
 * lock of nobody stays, because Postgres reads from it whether children of the killed one still end.
 *
 * @throws when the process is a Postgres after all, which somebody else started.
 */
export async function wasKilled(dataDir: string): Promise<boolean> {
  const lockFile = join(clusterOf(dataDir), "postmaster.pid");
  if (!existsSync(lockFile)) return false;
  const pid = Number((await readFile(lockFile, "utf8")).split("\n")[0]);
  const command = commandOf(pid);
  if (command.includes("postgres")) {
    throw new Error(`Postgres runs on this data already, as process ${pid}, and we didn't start it`);
  }
  if (command !== "") await rm(lockFile);
  return true;
}

import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type LocalPostgres, startLocalPostgres } from "../../scripts/local/postgres.ts";
import { createTestDatabase } from "../helpers/database.ts";
import { killRecorded, startInOwnProcess } from "./killed-engine.ts";

let dataDir: string;
let started: LocalPostgres[];
beforeEach(async () => {
  dataDir = await makeFolder();
  started = [];
});
afterEach(async () => {
  for (const postgres of started) await postgres.stop();
  await rm(join(dataDir, ".."), { recursive: true, force: true });
});

/** A data folder that another user can reach, which root lends Postgres to. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "on-the-rail-postgres-"));
  await chmod(folder, 0o711);
  return join(folder, "postgres");
}

async function start(options: { port?: number } = {}): Promise<LocalPostgres> {
  const postgres = await startLocalPostgres({ dataDir, persist: true, ...options });
  started.push(postgres);
  return postgres;
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: statement, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end();
  }
}

test("data and logins are the same after a restart", async () => {
  const first = await start();
  await query(first.ownerUrl, "CREATE TABLE kept AS SELECT 'déjà vu' AS words");
  await first.stop();

  const port = Number(new URL(first.ownerUrl).port);
  const second = await start({ port });
  expect(second.ownerUrl).toBe(first.ownerUrl);
  expect(await query(second.ownerUrl, "SELECT words FROM kept")).toEqual(["déjà vu"]);
});

test("committed data survives a server that was killed", async () => {
  const first = await start();
  await query(first.ownerUrl, "CREATE TABLE kept AS SELECT 1 AS number");
  await killRecorded(dataDir, "postgres");

  const second = await start();
  expect(await query(second.ownerUrl, "SELECT number FROM kept")).toEqual([1]);
});

test("a server left running by a killed engine is taken over with all that it has", async () => {
  const held = await startInOwnProcess("postgres", dataDir, z.object({ ownerUrl: z.string() }));
  await held.kill();
  await query(held.ownerUrl, "CREATE TABLE kept AS SELECT 1 AS number");

  const next = await start();
  expect(await query(next.ownerUrl, "SELECT number FROM kept")).toEqual([1]);
  await expect(query(held.ownerUrl, "SELECT 1")).rejects.toThrow("ENOENT");
});

test("where a socket's path can't be written down, connections go over loopback", async () => {
  const { ownerUrl, stop } = await startLocalPostgres({ dataDir: join(dataDir, "a folder"), persist: false });
  expect(await query(ownerUrl, "SELECT host(inet_server_addr())")).toEqual(["127.0.0.1"]);
  await stop();
});

test("a lock file that names another program's process doesn't keep the server down", async () => {
  const first = await start();
  await query(first.ownerUrl, "CREATE TABLE kept AS SELECT 1 AS number");
  const lockFile = join(dataDir, "cluster", "postmaster.pid");
  const lock = await readFile(lockFile, "utf8");
  await killRecorded(dataDir, "postgres");
  const { uid, gid } = await stat(lockFile);
  const other = spawn("sleep", ["60"], { uid, gid, stdio: "ignore" });
  try {
    await writeFile(lockFile, lock.replace(/^\d+/, String(other.pid)));
    const second = await start();
    expect(await query(second.ownerUrl, "SELECT number FROM kept")).toEqual([1]);
  } finally {
    other.kill();
  }
});

test("the server runs in a folder that only we can enter", async () => {
  await chmod(join(dataDir, ".."), 0o700);
  const postgres = await startLocalPostgres({ dataDir, persist: false });
  started.push(postgres);
  expect(await query(postgres.appUrl, "SELECT 1")).toEqual([1]);
});

test("a throw-away server leaves no data behind", async () => {
  const postgres = await startLocalPostgres({ dataDir, persist: false });
  await postgres.stop();
  expect(await readdir(join(dataDir, ".."))).toEqual([]);
});

describe("a running server", () => {
  let running: LocalPostgres;
  let folder: string;
  beforeAll(async () => {
    folder = await makeFolder();
    running = await startLocalPostgres({ dataDir: folder, persist: false });
  });
  afterAll(async () => {
    await running.stop();
    await rm(join(folder, ".."), { recursive: true });
  });

  test("the application's login is in the application's group, owns nothing and can make nothing", async () => {
    const { appUrl, ownerUrl } = running;
    await query(ownerUrl, "CREATE TABLE ledger (amount numeric)");
    const rights = `SELECT current_user, pg_has_role(current_user, 'on_the_rail_app', 'member'),
    (SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user),
    (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'on_the_rail_app')`;
    expect(await query(appUrl, rights)).toEqual(["on_the_rail_server", true, false, false]);
    await expect(query(appUrl, "CREATE TABLE mine (id int)")).rejects.toThrow(
      "permission denied for schema public",
    );
    await expect(query(appUrl, "SELECT * FROM ledger")).rejects.toThrow("permission denied for table ledger");
    await expect(query(appUrl, "SET ROLE on_the_rail_owner")).rejects.toThrow(
      "permission denied to set role",
    );
    expect(new URL(appUrl).password).not.toBe(new URL(ownerUrl).password);
  });

  test("the server listens on loopback and on a socket of its user alone, in UTF-8, behind a password that only its owner can read", async () => {
    const { ownerUrl, superuserUrl } = running;
    const settings = `SELECT current_setting('listen_addresses'), current_setting('server_encoding'),
    current_setting('TimeZone'), inet_server_addr(), current_setting('unix_socket_directories')`;
    const cluster = join(folder, "cluster");
    expect(await query(superuserUrl, settings)).toEqual(["127.0.0.1", "UTF8", "UTC", null, cluster]);
    expect((await stat(cluster)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "password"))).mode & 0o777).toBe(0o600);
    await expect(query(ownerUrl.replace(/:[0-9a-f]+@/, ":guess@"), "SELECT 1")).rejects.toThrow(
      "password authentication failed",
    );
  });

  test("keeps a second engine from its data", async () => {
    const second = startLocalPostgres({ dataDir: folder, persist: false });
    await expect(second).rejects.toThrow(`is in use by process ${process.pid}`);
  });

  test("has its port named to whoever wants it too", async () => {
    const port = Number(new URL(running.ownerUrl).port);
    await expect(start({ port })).rejects.toThrow(`Port ${port} is taken`);
  });
});

test("two test databases begin as the same migrated one and know nothing of each other", async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  const tables = "SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public'";
  const [before] = await query(other.ownerUrl, tables);
  await query(one.ownerUrl, "CREATE TABLE only_here (id int)");
  expect(before).toBeGreaterThan(0);
  expect(await query(other.ownerUrl, tables)).toEqual([before]);
  await Promise.all([one.drop(), other.drop()]);
  await expect(query(one.ownerUrl, "SELECT 1")).rejects.toThrow("does not exist");
});

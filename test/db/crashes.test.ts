/** A Postgres that is stopped at once, over and over, under load; and processes that all begin on an empty one. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { findChangedRows, readLastRow } from "../../engine/db/books-ledger.ts";
import { isAway } from "../../engine/db/errors.ts";
import { migrate } from "../../engine/db/migrate.ts";
import { createPool, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { claimSpareWallet, reserveWallet, setWalletAddress } from "../../engine/db/wallets.ts";
import { post } from "../../engine/services/ledger.ts";
import { type LocalPostgres, startLocalPostgres } from "../../scripts/local/postgres.ts";
import { createDatabase, dropDatabase } from "../../scripts/local/postgres-roles.ts";
import { isRunning } from "../../scripts/local/processes.ts";
import { waitFor } from "../helpers/wait.ts";

const token = `0x${"11".repeat(20)}`;
const crashes = 50;
const writers = 6;

let dataDir: string;
let server: LocalPostgres;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-crashes-"));
  await chmod(dataDir, 0o711); // Postgres may run as another user, who has to reach its data.
  // With everything written to disk as in production.
  server = await startLocalPostgres({ dataDir, persist: true });
  await migrate(server.ownerUrl);
});
afterAll(async () => {
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

it("stopped in the middle of its work fifty times, it has kept everything that it had acknowledged (SAFETY 18)", async () => {
  const port = Number(new URL(server.appUrl).port);
  const pool = createPool({ url: server.appUrl, maxConnections: writers });
  await listTokens(pool, [{ address: token, symbol: "TST", decimals: 6 }]);
  const { id: vault } = await transaction(pool, (tx) => reserveWallet(tx, "vault"));
  await setWalletAddress(pool, { id: vault, address: `0x${"aa".repeat(20)}` });
  const player = await pool.query("INSERT INTO player (handle) VALUES ('crashed') RETURNING id");
  const playerId = String(player.rows[0].id);
  const { id: wallet } = await transaction(pool, (tx) => reserveWallet(tx, "deposit"));
  await setWalletAddress(pool, { id: wallet, address: `0x${"bb".repeat(20)}` });
  await transaction(pool, (tx) => claimSpareWallet(tx, { purpose: "deposit", playerId }));

  const acknowledged = new Set<string>();
  let isOver = false;
  const write = async (writer: number): Promise<void> => {
    for (let number = 0; !isOver; number += 1) {
      const key = `test:${writer}:${number}`;
      const from = { kind: "outside", address: `0x${"99".repeat(20)}` } as const;
      const to = { kind: "player.available", playerId } as const;
      const deposit = { from, to, token, amount: 1n, reason: "deposit", key } as const;
      try {
        await transaction(pool, (tx) => post(tx, [deposit], { cause: "test" }));
        acknowledged.add(key);
      } catch (error) {
        if (!isAway(error)) throw error;
        await delay(20);
      }
    }
  };
  const done = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  try {
    for (let crash = 0; crash < crashes; crash += 1) {
      const enough = acknowledged.size + 2 * writers;
      await waitFor(() => acknowledged.size >= enough, { what: "more rows", timeoutMs: 20_000 });
      process.kill(server.process.pid, "SIGQUIT"); // `pg_ctl stop -m immediate`
      await waitFor(() => !isRunning(server.process), { what: "the end of the server" });
      server = await startLocalPostgres({ dataDir, port, persist: true });
    }
  } finally {
    isOver = true;
    await done;
  }
  const { rows } = await pool.query("SELECT business_key FROM transfer");
  const kept = new Set(rows.map((row) => row.business_key as string));
  expect([...acknowledged].filter((key) => !kept.has(key))).toEqual([]);
  const { rows: accounts } = await pool.query("SELECT balance FROM account WHERE kind = 'player.available'");
  expect(accounts).toEqual([{ balance: String(kept.size) }]);
  expect(await findChangedRows(pool, { from: 1, to: await readLastRow(pool) })).toEqual([]);
  await pool.end();
});

it("three that begin on an empty database at the same moment, and one that comes while they do, make one schema (SAFETY 44)", async () => {
  const superuserUrl = inject("superuserUrl");
  const [name, model] = ["begun_together", "begun_alone"];
  const [together, alone] = [
    await createDatabase(superuserUrl, name),
    await createDatabase(superuserUrl, model),
  ];
  const first = migrate(together.ownerUrl);
  await Promise.all([first, migrate(together.ownerUrl), migrate(together.ownerUrl), migrate(alone.ownerUrl)]);
  await migrate(together.ownerUrl);
  const shapeOf = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const columns = await client.query(
      "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    );
    const { rows } = await client.query(
      "SELECT name, count(*)::int AS times FROM migration GROUP BY 1 ORDER BY 1",
    );
    await client.end();
    return { columns: columns.rows, migrations: rows };
  };
  const shape = await shapeOf(together.ownerUrl);
  expect(shape).toEqual(await shapeOf(alone.ownerUrl));
  expect(shape.migrations.every(({ times }) => times === 1)).toBe(true);
  expect(shape.columns.length).toBeGreaterThan(100);
  for (const database of [name, model]) await dropDatabase(superuserUrl, database);
});

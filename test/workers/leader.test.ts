import { afterEach, beforeEach, expect, test } from "vitest";
import { createPool, type Pool } from "../../engine/db/pool.ts";
import { createLog } from "../../engine/log.ts";
import { type Lead, runAsLeader } from "../../engine/workers/leader.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";

let database: TestDatabase;
let pool: Pool;
beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

test("a stop that comes while the lease is asked for ends the work, and the next process needn't wait", async () => {
  const context = { pool, log: createLog({ level: "silent" }) };
  const lead = ({ signal }: Lead): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  const stopping = new AbortController();
  const done = runAsLeader(context, { name: "relay", signal: stopping.signal, lead });
  stopping.abort();
  await done;
  const { rows } = await pool.query("SELECT count(*)::int AS held FROM lease WHERE expires_at > now()");
  expect(rows).toEqual([{ held: 0 }]);
});

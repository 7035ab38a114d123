import { afterAll, beforeAll, expect, it } from "vitest";
import { reject } from "../../engine/contract/problems.ts";
import { createPool, type Pool, transaction } from "../../engine/db/pool.ts";
import type { Context } from "../../engine/services/context.ts";
import { tell } from "../../engine/services/outbox.ts";
import { change } from "../../engine/services/transaction.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  // One connection: whatever a request leaves behind on it, the next one meets.
  pool = createPool({ url: database.appUrl, maxConnections: 1 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const event = { rooms: ["arena"], name: "overlay:replaced" as const, data: {} };
const written = async (): Promise<number> =>
  Number((await pool.query("SELECT count(*) AS events FROM outbox")).rows[0].events);

it("what a request that is refused or fails has told of is forgotten, and swallows nobody else's events", async () => {
  const context = { pool, nudge: () => undefined } as unknown as Context;
  const refused = await change(context, async (tx) => {
    await tell(tx, [event]);
    return reject("not_found");
  });
  expect(refused.ok).toBe(false);
  await transaction(pool, (tx) => tell(tx, [event]));
  expect(await written()).toBe(1);
  const failed = change(context, async (tx) => {
    await tell(tx, [event]);
    throw new Error("bad luck");
  });
  await expect(failed).rejects.toThrow("bad luck");
  await transaction(pool, (tx) => tell(tx, [event]));
  expect(await written()).toBe(2);
});

/** Brings a database to the newest schema. Safe to run from several processes at once: one migrates, the others wait. */
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import pg from "pg";

const directory = fileURLToPath(new URL("./migrations", import.meta.url));

/** `ownerUrl`: a login that owns the database; the server itself never uses it. */
export async function migrate(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    // node-pg-migrate gives up at once when another process holds its lock; this one waits.
    await client.query("SELECT pg_advisory_lock(hashtext('on_the_rail.migrate'))");
    await runner({
      dbClient: client,
      dir: directory,
      direction: "up",
      migrationsTable: "migration",
      checkOrder: true,
      singleTransaction: true,
      noLock: true,
      log: () => undefined,
    });
  } finally {
    await client.end();
  }
}

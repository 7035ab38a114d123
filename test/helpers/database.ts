import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { createDatabase, dropDatabase, type RoleUrls } from "../../scripts/local/postgres-roles.ts";

/** For pools at which a test makes hundreds queue: on a busy machine they wait long, and only a failure waits so long. */
export const longQueues = { statementTimeoutMs: 60_000, connectionTimeoutMs: 60_000 };

export type TestDatabase = RoleUrls & { drop(): Promise<void> };

/**
 * A migrated database of the caller's own, with nothing in it: `ownerUrl` may do everything in it, `appUrl` what the
 * application may, `superuserUrl` also end other people's connections. `drop()` removes it with whatever is connected.
 */
export const createTestDatabase = (): Promise<TestDatabase> => copyOf(inject("templateDatabase"));

/** The same, as Postgres makes it: nobody has migrated it yet. */
export const createEmptyDatabase = (): Promise<TestDatabase> => copyOf(undefined);

/** One statement by a connection of its own, as the role that the URL names. */
export async function queryOnce<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function copyOf(template: string | undefined): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const superuserUrl = inject("superuserUrl");
  const urls = await createDatabase(superuserUrl, name, template);
  return { ...urls, drop: () => dropDatabase(superuserUrl, name) };
}

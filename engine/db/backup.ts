/**
 * Everything that the books hold, as of one moment, and the way back into a database that was migrated and holds
 * nothing. Run as the owner of the database: the application may neither read nor write all of it.
 */
import type { Readable, Writable } from "node:stream";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { z } from "zod";
import { columnOf, oneOf, rowsOf, text } from "./decode.ts";

/**
 * What lives for minutes and would be harmful when it came back: sign-ins that were ended since, nonces that were used
 * since, leases of processes that are gone. `migration` is compared instead of copied.
 */
const leftOut = ["migration", "session", "sign_in_challenge", "lease", "socket_io_attachments"];
/** Rows that a migration itself writes; those of the backup take their place. */
const filledByMigrations = ["switch"];
/** Numbers handed out after a backup are in people's mails and browsers: they must not come to mean something else. */
const numbersLeftOut = 1_000_000;

export const tableShape = z.object({
  name: z.string().regex(/^[a-z_]{1,63}$/),
  columns: z.array(z.string().regex(/^[a-z_]{1,63}$/)).min(1),
  /** The columns of the primary key, in whose order rows are copied: equal tables are equal bytes. */
  key: z.array(z.string().regex(/^[a-z_]{1,63}$/)).min(1),
});
export type Table = z.output<typeof tableShape>;

/** What a restored database must agree on beside its rows. */
export const factsShape = z.object({
  chain: z.object({ head: z.string(), headHash: z.string(), finalized: z.string() }).nullable(),
  /** Highest derivation index by purpose. */
  wallets: z.record(z.string(), z.number()),
  /** Ledger rows, and a digest over the heads of all accounts' hash chains. */
  ledger: z.object({ transfers: z.string(), heads: z.string() }),
});
export type Facts = z.output<typeof factsShape>;

/** Connects with the settings under which values have the same text everywhere. */
export async function connectForCopying(ownerUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: "on-the-rail backup" });
  await client.connect();
  await client.query(
    "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'; SET client_encoding = 'UTF8'",
  );
  return client;
}

/** One moment for everything that is read until the connection ends; nobody is held up by it. */
export const beginSnapshot = (client: pg.Client): Promise<unknown> =>
  client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

/** Names of the migrations that made the schema, in order. */
export async function readMigrations(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query("SELECT name FROM migration ORDER BY id");
  return columnOf(text, rows);
}

const listed = tableShape.extend({ refers_to: z.array(z.string()) });
/** The tables that are copied, each after those that it refers to; what is checked at the end of a transaction may come later. */
export async function listTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query(
    `SELECT relname AS name,
       (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) AS columns,
       (SELECT array_agg(attname::text ORDER BY place) FROM pg_index CROSS JOIN unnest(indkey) WITH ORDINALITY AS part (number, place)
          JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number WHERE indrelid = pg_class.oid AND indisprimary) AS key,
       (SELECT coalesce(array_agg(DISTINCT confrelid::regclass::text), '{}') FROM pg_constraint
          WHERE conrelid = pg_class.oid AND contype = 'f' AND confrelid <> conrelid AND NOT condeferred) AS refers_to
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL ($1) ORDER BY relname`,
    [leftOut],
  );
  const waiting = rowsOf(listed, rows);
  const ordered: Table[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex(({ refers_to }) =>
      refers_to.every((name) => ordered.some((table) => table.name === name)),
    );
    const [next] = at < 0 ? [] : waiting.splice(at, 1);
    if (next === undefined) throw new Error("tables refer to each other in a circle");
    const { name, columns, key } = next;
    ordered.push({ name, columns, key });
  }
  return ordered;
}

/** The rows of a table as lines of text. */
export const copyOut = (client: pg.Client, { name, columns, key }: Table): Readable =>
  client.query(
    copyTo(`COPY (SELECT ${columns.join(", ")} FROM ${name} ORDER BY ${key.join(", ")}) TO STDOUT`),
  );

/** Takes the lines of `copyOut`; numbers stay as they are. */
export const copyIn = (client: pg.Client, { name, columns }: Table): Writable =>
  client.query(copyFrom(`COPY ${name} (${columns.join(", ")}) FROM STDIN`));

export async function readFacts(client: pg.Client): Promise<Facts> {
  const { rows } = await client.query(
    `SELECT
       (SELECT jsonb_build_object('head', head_number::text, 'headHash', head_hash, 'finalized', finalized_number::text) FROM chain_cursor) AS chain,
       (SELECT coalesce(jsonb_object_agg(purpose, highest), '{}') FROM (
          SELECT purpose, max(derivation_index) AS highest FROM wallet GROUP BY purpose) AS issued) AS wallets,
       jsonb_build_object('transfers', (SELECT count(*)::text FROM transfer),
         'heads', (SELECT encode(sha256(coalesce(string_agg(head, ''::bytea ORDER BY id), '')), 'hex') FROM account)) AS ledger`,
  );
  return oneOf(factsShape, rows);
}

/** The tables that hold something already, as far as that wasn't a migration's doing. */
export async function findFilledTables(client: pg.Client): Promise<string[]> {
  const filled: string[] = [];
  for (const { name } of await listTables(client)) {
    if (filledByMigrations.includes(name)) continue;
    const { rows } = await client.query(`SELECT FROM ${name} LIMIT 1`);
    if (rows.length > 0) filled.push(name);
  }
  return filled;
}

/**
 * Runs `fill` in one transaction on a database that nobody else can use meanwhile. The ledger's rows come with what its
 * trigger once worked out, so the trigger rests. `last` may write as usual.
 */
export async function restoring(
  client: pg.Client,
  fill: () => Promise<void>,
  last: () => Promise<void> = async () => undefined,
): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.migrate'))");
    await client.query("ALTER TABLE transfer DISABLE TRIGGER transfer_applied");
    for (const name of filledByMigrations) await client.query(`DELETE FROM ${name}`);
    await fill();
    await client.query("ALTER TABLE transfer ENABLE TRIGGER transfer_applied");
    await moveSequences(client);
    await last();
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

const counted = z.object({ table: z.string(), column: z.string() });
/** New numbers begin well above those of the backup. */
async function moveSequences(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT attrelid::regclass::text AS table, attname::text AS column FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE attidentity <> '' AND relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  for (const { table, column } of rowsOf(counted, rows)) {
    await client.query(
      `SELECT setval(pg_get_serial_sequence('${table}', '${column}'), coalesce(max(${column}), 0) + ${numbersLeftOut}) FROM ${table}`,
    );
  }
}

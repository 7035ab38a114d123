import { columnOf, text } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/** Rights on append-only tables that the application's login must not have, such as `UPDATE transfer`. */
export async function readDangerousRights(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT privilege || ' ' || relation AS held
     FROM unnest(ARRAY['transfer', 'audit', 'instruction_leg']) AS relation, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
     WHERE has_table_privilege(relation, privilege)
     UNION ALL SELECT 'UPDATE account' WHERE has_table_privilege('account', 'UPDATE')`,
  );
  return columnOf(text, rows);
}

/** Tables that this login may change: none, for whoever only reads what is committed. */
export async function readChangeableTables(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT relname::text AS held FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
       AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY relname`,
  );
  return columnOf(text, rows);
}

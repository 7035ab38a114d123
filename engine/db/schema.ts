/** The schema in words, as the database itself has it: tables, constraints, indexes, functions, triggers, rights. */
import pg from "pg";

const sections = [
  `SELECT 'CREATE DOMAIN ' || typname || ' AS ' || format_type(typbasetype, typtypmod) ||
     coalesce((SELECT string_agg(' ' || pg_get_constraintdef(oid), '' ORDER BY conname) FROM pg_constraint WHERE contypid = pg_type.oid), '') || ';'
   FROM pg_type WHERE typtype = 'd' AND typnamespace = 'public'::regnamespace ORDER BY typname`,
  `SELECT 'CREATE TABLE ' || relname || E' (\\n' || (
     SELECT string_agg('  ' || line, E',\\n' ORDER BY rank, position) FROM (
       SELECT 1 AS rank, attnum::text::int AS position, attname || ' ' || format_type(atttypid, atttypmod) ||
         CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END ||
         CASE WHEN attidentity <> '' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END ||
         coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
       UNION ALL
       SELECT 2, row_number() OVER (ORDER BY conname)::int, 'CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid)
       FROM pg_constraint WHERE conrelid = pg_class.oid AND contype IN ('p', 'u', 'f', 'c')
     ) AS lines) || E'\\n);'
   FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migration' ORDER BY relname`,
  `SELECT 'CREATE VIEW ' || viewname || E' AS\\n' || definition FROM pg_views WHERE schemaname = 'public' ORDER BY viewname`,
  `SELECT indexdef || ';' FROM pg_indexes WHERE schemaname = 'public'
     AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u')) ORDER BY indexname`,
  `SELECT rtrim(pg_get_functiondef(oid), E'\\n') || ';' FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname`,
  `SELECT pg_get_triggerdef(pg_trigger.oid) || ';' FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname, tgrelid::regclass::text`,
  `SELECT 'GRANT ' || string_agg(privilege_type || coalesce(' (' || columns || ')', ''), ', ' ORDER BY privilege_type, columns) || ' ON ' || table_name || ' TO ' || grantee || ';'
   FROM (
     SELECT grantee::text, table_name::text, privilege_type::text, NULL AS columns FROM information_schema.role_table_grants
     WHERE grantee IN ('on_the_rail_app', 'on_the_rail_signer')
     UNION ALL
     SELECT grantee::text, table_name::text, privilege_type::text, string_agg(column_name, ', ' ORDER BY column_name)
     FROM information_schema.role_column_grants columns
     WHERE grantee IN ('on_the_rail_app', 'on_the_rail_signer') AND NOT EXISTS (
       SELECT FROM information_schema.role_table_grants whole WHERE whole.grantee = columns.grantee
         AND whole.table_name = columns.table_name AND whole.privilege_type = columns.privilege_type)
     GROUP BY grantee, table_name, privilege_type
   ) AS rights GROUP BY grantee, table_name ORDER BY grantee, table_name`,
];

/** SQL text of everything in schema `public`, in a fixed order. */
export async function describeSchema(ownerUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const parts: string[] = [
      "-- Read back from the database: change the migrations, then run npm run schema.",
    ];
    for (const text of sections) {
      const { rows } = await client.query<[string]>({ text, rowMode: "array" });
      parts.push(...rows.map(([line]) => line));
    }
    return `${parts.join("\n\n")}\n`;
  } finally {
    await client.end();
  }
}

/** What people with power did, and what they were refused. Rows are only ever added. */
import { z } from "zod";
import { id, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

export interface NewAuditRow {
  actor: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
}

export async function insertAudit(db: Queryable, row: NewAuditRow): Promise<void> {
  await db.query("INSERT INTO audit (actor, action, subject, detail) VALUES ($1, $2, $3, $4)", [
    row.actor,
    row.action,
    row.subject,
    JSON.stringify(row.detail),
  ]);
}

/** Writes down what was refused, up to `mostAnHour` rows of an actor: nobody buries what others did. */
export async function insertRefusal(
  db: Queryable,
  row: NewAuditRow,
  { mostAnHour }: { mostAnHour: number },
): Promise<void> {
  await db.query(
    `INSERT INTO audit (actor, action, subject, detail) SELECT $1, $2, $3, $4
     WHERE (SELECT count(*) FROM (SELECT FROM audit WHERE actor = $1 AND action LIKE 'refused: %' AND at > now() - interval '1 hour' LIMIT $5) AS recent) < $5`,
    [row.actor, row.action, row.subject, JSON.stringify(row.detail), mostAnHour],
  );
}

const audit = z.object({
  id,
  at: moment,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type AuditRow = z.output<typeof audit>;

/** Newest first, below `before`. */
export async function readAudit(
  db: Queryable,
  input: { before: string | null; limit: number },
): Promise<AuditRow[]> {
  const { rows } = await db.query(
    `SELECT id, at, actor, action, subject, detail FROM audit
     WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [input.before, input.limit],
  );
  return rowsOf(audit, rows);
}

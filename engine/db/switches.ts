/** What an operator can stop: money going out, deposits being credited, new offers. */
import { z } from "zod";
import { moment, oneOf, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const switchName = z.enum(["outflows", "deposits", "proposals"]);
export type SwitchName = z.output<typeof switchName>;
const row = z.object({
  name: switchName,
  is_on: z.boolean(),
  reason: z.string().nullable(),
  changed_by: z.string().nullable(),
  changed_at: moment,
});
export type SwitchRow = z.output<typeof row>;

export async function readSwitches(db: Queryable): Promise<SwitchRow[]> {
  const { rows } = await db.query({
    name: "read_switches",
    text: "SELECT name, is_on, reason, changed_by, changed_at FROM switch ORDER BY name",
  });
  return rowsOf(row, rows);
}

/** Of a row of `switch`. While the books may be older than the world nobody plays: a balance in them may have been paid out already. */
export const isSwitchOn =
  "is_on AND NOT (name = 'proposals' AND EXISTS (SELECT FROM recovery WHERE ended_at IS NULL))";

/** Whether a part is on. Work that has begun when a switch is thrown still finishes. */
export async function readSwitch(db: Queryable, name: SwitchName): Promise<SwitchRow> {
  const { rows } = await db.query({
    name: "read_switch",
    text: `SELECT name, ${isSwitchOn} AS is_on, reason, changed_by, changed_at FROM switch WHERE name = $1`,
    values: [name],
  });
  return oneOf(row, rows);
}

export async function updateSwitch(
  tx: Tx,
  input: { name: SwitchName; on: boolean; reason: string; changedBy: string; changedAt: Date },
): Promise<void> {
  await tx.query(
    "UPDATE switch SET is_on = $2, reason = $3, changed_by = $4, changed_at = $5 WHERE name = $1",
    [input.name, input.on, input.reason, input.changedBy, input.changedAt],
  );
}

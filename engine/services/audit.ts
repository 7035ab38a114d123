/** Who with power did what, and what was refused to whom. */
import type { z } from "zod";
import type { audit } from "../contract/operations.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { insertAudit, insertRefusal, type NewAuditRow, readAudit } from "../db/audit.ts";
import type { Queryable } from "../db/pool.ts";
import type { Context } from "./context.ts";

/** Of one person: whoever insists doesn't bury what others did. */
const mostRefusalsAnHour = 50;

/** How a person stands in the audit: the handle may change, the number doesn't. */
export const actorName = (player: { playerId: string; handle: string }): string =>
  `${player.handle} (player ${player.playerId})`;

/**
 * Writes an act down, in the transaction that does it. `subject` is what it was done to, such as `game:<id>`; `detail`
 * holds what a later reader needs to judge it, amounts as strings.
 */
export const recordAct = (tx: Queryable, act: NewAuditRow): Promise<void> => insertAudit(tx, act);

/** Writes down what somebody tried and wasn't allowed to do. It has no transaction of its own that could be rolled back. */
export const recordRefusal = (
  context: Context,
  refusal: { actor: string; action: string; subject: string; code: string },
): Promise<void> =>
  insertRefusal(
    context.pool,
    {
      actor: refusal.actor,
      action: `refused: ${refusal.action}`,
      subject: refusal.subject,
      detail: { code: refusal.code },
    },
    { mostAnHour: mostRefusalsAnHour },
  );

/** A page of the audit, newest first. `cursor` is the id that the page before ended with. */
export async function readAuditPage(
  context: Context,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Result<z.output<typeof audit>>> {
  if (cursor !== undefined && !/^[1-9][0-9]{0,17}$/.test(cursor)) {
    return reject("request_invalid", { field: "cursor" });
  }
  const rows = await readAudit(context.pool, { before: cursor ?? null, limit: limit + 1 });
  const items = rows
    .slice(0, limit)
    .map((row) => ({ ...row, at: row.at.toISOString(), detail: JSON.stringify(row.detail) }));
  return accept({ items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null });
}

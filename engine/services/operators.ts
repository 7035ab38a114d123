/** What operators decide together, and what they can stop. */
import { createHash } from "node:crypto";
import { accept, type Result, reject } from "../contract/problems.ts";
import { countApprovals, insertApproval } from "../db/approvals.ts";
import type { Queryable } from "../db/pool.ts";
import { readSwitch, readSwitches, type SwitchName, type SwitchRow, updateSwitch } from "../db/switches.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { change } from "./transaction.ts";

export interface Approval {
  /** What is to be done, such as `decide_dispute`. */
  action: string;
  /** What it is done to. Together with `payload` it names the act for ever: use an id that doesn't come again. */
  subject: string;
  /** Everything that a second operator must agree to, as JSON. */
  payload: unknown;
  operatorId: string;
  /** What it moves: above the token's approval limit it takes two operators, this one included. */
  money: { token: string; amount: bigint };
}

/**
 * Gives an operator's word for an act, and says whether enough of them have spoken. Call it before the act's own
 * transaction: when a second word is missing, the first one must stay although the act doesn't happen.
 * @returns `second_approval_needed` until so many different operators have said exactly the same.
 */
export async function approve(context: Context, approval: Approval): Promise<Result<null>> {
  const { action, subject, operatorId, money } = approval;
  const needed = money.amount > (context.settings.approvalLimit.get(money.token) ?? 0n) ? 2 : 1;
  if (needed <= 1) return accept(null);
  const payloadHash = createHash("sha256").update(canonical(approval.payload)).digest();
  await insertApproval(context.pool, { action, subject, payloadHash, operatorId });
  const given = await countApprovals(context.pool, {
    action,
    subject,
    payloadHash,
    operatorAddresses: [...context.settings.operatorAddresses],
  });
  if (given >= needed) return accept(null);
  return reject("second_approval_needed", {
    message: "Your approval is noted. Another operator must ask for exactly the same.",
    facts: { given: String(given), needed: String(needed) },
  });
}

/** JSON with its keys in order, so that equal payloads are equal bytes. Bigints count as their digits. */
function canonical(payload: unknown): string {
  return JSON.stringify(payload, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Lets a use case through while its part is switched on. */
export async function requireSwitchOn(db: Queryable, name: SwitchName): Promise<Result<null>> {
  const found = await readSwitch(db, name);
  if (found.is_on) return accept(null);
  return reject(name === "outflows" ? "outflows_stopped" : "switched_off");
}

/** Every switch as it stands. */
export const listSwitches = (context: Context): Promise<SwitchRow[]> => readSwitches(context.pool);

/** Throws a switch, and writes down who did it and why. */
export async function throwSwitch(
  context: Context,
  operator: { playerId: string; handle: string },
  { name, on, reason }: { name: SwitchName; on: boolean; reason: string },
): Promise<Result<null>> {
  const actor = actorName(operator);
  return change(context, async (tx) => {
    await updateSwitch(tx, { name, on, reason, changedBy: actor, changedAt: new Date(context.clock()) });
    await recordAct(tx, { actor, action: "switch", subject: name, detail: { on, reason } });
    return accept(null);
  });
}

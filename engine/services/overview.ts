/** The operator's line of health, and the two things that change it: switches and breaches. */
import type { z } from "zod";
import type { overview } from "../contract/operations.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { readBooksCheck } from "../db/books.ts";
import { readStandingBreaches } from "../db/breaches.ts";
import { readCursor } from "../db/cursor.ts";
import { readFrozenWallets } from "../db/frozen.ts";
import { readWork, liftBreach as writeLift } from "../db/overview.ts";
import { type Recovery, readRecovery } from "../db/recovery.ts";
import type { SwitchName } from "../db/switches.ts";
import { actorName, recordAct } from "./audit.ts";
import { deepReorg, isFinalInChain } from "./chain-events.ts";
import type { Context } from "./context.ts";
import { listSwitches, throwSwitch } from "./operators.ts";
import { viewProviders } from "./providers.ts";
import { change } from "./transaction.ts";

export { readAuditPage as listAudit } from "./audit.ts";

type Overview = z.output<typeof overview>;
const mostFrozen = 100;

export async function readOverview(context: Context): Promise<Result<Overview>> {
  const { pool } = context;
  const nowMs = context.clock();
  const [cursor, work, check, breaches, frozen, switches, providers, recovery] = await Promise.all([
    readCursor(pool),
    readWork(pool, context.settings.clocks),
    readBooksCheck(pool),
    readStandingBreaches(pool),
    readFrozenWallets(pool, mostFrozen),
    listSwitches(context),
    viewProviders(context),
    readRecovery(pool),
  ]);
  const behindMs = cursor === null ? 0 : nowMs - cursor.head_stamped_at.getTime();
  return accept({
    chain: {
      headNumber: (cursor?.head_number ?? 0n).toString(),
      finalizedNumber: (cursor?.finalized_number ?? 0n).toString(),
      behindSeconds: Math.max(0, Math.floor(behindMs / 1_000)),
    },
    providers,
    depositsUnmatched: work.deposits_unmatched,
    instructionsWaiting: work.instructions_waiting,
    instructionsStuck: work.instructions_stuck,
    oldestStuckSeconds: work.oldest_stuck_seconds,
    openDisputes: work.open_disputes,
    booksBalance: check?.result.invariants.every(({ ok }) => ok) ?? false,
    outflowsStopped: whyStopped({ recovery, breaches, check, switches }),
    breaches: breaches.map(({ id, invariant, detail, found_at }) => ({
      id,
      invariant,
      detail,
      foundAt: found_at.toISOString(),
    })),
    frozenWallets: frozen.map(({ frozen_reason: reason, ...wallet }) => ({ ...wallet, reason })),
    switches: switches.map((row) => ({
      name: row.name,
      on: row.is_on,
      reason: row.reason,
      changedAt: row.changed_at.toISOString(),
    })),
  });
}

interface Stops {
  recovery: Recovery | null;
  breaches: Awaited<ReturnType<typeof readStandingBreaches>>;
  check: Awaited<ReturnType<typeof readBooksCheck>>;
  switches: Awaited<ReturnType<typeof listSwitches>>;
}

/** The recovery that stands, or else the oldest breach, or wallets that weren't looked at, or the switch. */
function whyStopped({ recovery, breaches, check, switches }: Stops): Overview["outflowsStopped"] {
  if (recovery !== null)
    return { reason: `Recovery: ${recovery.cause}`, since: recovery.began_at.toISOString() };
  const [breach] = breaches;
  if (breach !== undefined) {
    return { reason: `${breach.invariant}: ${breach.detail}`, since: breach.found_at.toISOString() };
  }
  if (check?.is_uncompared === true)
    return {
      reason:
        "The nodes don't say what our wallets hold at the final block, so that nobody has compared it with the books since.",
      since: check.compared_at.toISOString(),
    };
  const outflows = switches.find(({ name }) => name === "outflows");
  if (outflows === undefined || outflows.is_on) return null;
  return { reason: outflows.reason ?? "Switched off.", since: outflows.changed_at.toISOString() };
}

type Operator = { playerId: string; handle: string };

/** Stops or starts a part, audited; answers the new overview. */
export async function setSwitch(
  context: Context,
  { by, name, on, reason }: { by: Operator; name: SwitchName; on: boolean; reason: string },
): Promise<Result<Overview>> {
  const thrown = await throwSwitch(context, by, { name, on, reason });
  return thrown.ok ? readOverview(context) : thrown;
}

/**
 * Lets money out again although an invariant didn't hold, audited. When it still doesn't, the next check raises it anew.
 * @returns `not_found` when no such breach stands; `request_invalid` while the chain doesn't hold what the books call final
 */
export async function liftBreach(
  context: Context,
  { by, breachId, reason }: { by: Operator; breachId: string; reason: string },
): Promise<Result<Overview>> {
  const breach = (await readStandingBreaches(context.pool)).find(({ id }) => id === breachId);
  if (breach?.invariant === deepReorg && !(await isFinalInChain(context)))
    return reject("request_invalid", {
      message:
        "The nodes don't name the block that the books call final: deposits may be gone that would be paid from. Restore books from before it (docs/runbook.md).",
    });
  const actor = actorName(by);
  const lifted = await change(context, async (tx) => {
    const breach = await writeLift(tx, { breachId, by: actor, reason, at: new Date(context.clock()) });
    if (breach === null) return reject("not_found");
    await recordAct(tx, {
      actor,
      action: "lift_breach",
      subject: `breach:${breachId}`,
      detail: { reason, ...breach },
    });
    return accept(null);
  });
  return lifted.ok ? readOverview(context) : lifted;
}

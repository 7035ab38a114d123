/** Looks at the books, keeps the result for everybody to see, and stops what leaves when something is wrong. */
import { storeBooksCheck } from "../db/books.ts";
import { insertBreach, readStandingBreaches } from "../db/breaches.ts";
import { readRecovery } from "../db/recovery.ts";
import { type InvariantResult, type ReportOptions, reportBooks } from "./books-report.ts";
import type { Context } from "./context.ts";

/** The ten invariants of docs/money.md, with every row of the ledger. */
export const checkBooks = async (
  context: Context,
  options: Pick<ReportOptions, "onChain"> = {},
): Promise<InvariantResult[]> => (await reportBooks(context, options)).invariants;

/** One check, as of a minute. Each invariant that doesn't hold becomes a breach, unless one stands for it already. */
export async function runReconciliation(context: Context): Promise<InvariantResult[]> {
  const checkedAt = new Date(context.clock());
  const { invariants, blockNumber, onChain } = await reportBooks(context, { everyRow: false });
  // Old books can't agree with the chain before they have caught up with it; a recovery ends only when they do.
  if ((await readRecovery(context.pool)) === null) {
    await raiseBreaches(
      context,
      invariants.filter(({ ok }) => !ok),
    );
  }
  const totals = onChain === null ? null : [...onChain].map(([token, amount]) => [token, amount.toString()]);
  await storeBooksCheck(context.pool, {
    checkedAt,
    blockNumber,
    result: { invariants, onChain: totals === null ? null : Object.fromEntries(totals) },
  });
  return invariants;
}

async function raiseBreaches(context: Context, failing: InvariantResult[]): Promise<void> {
  if (failing.length === 0) return;
  const standing = new Set((await readStandingBreaches(context.pool)).map(({ invariant }) => invariant));
  for (const { number, name, detail } of failing) {
    const invariant = `${number}. ${name}`;
    // The detail may change from check to check; one breach an invariant is enough to stop everything.
    if (standing.has(invariant)) continue;
    await insertBreach(context.pool, { invariant, detail: detail ?? "" });
    context.log.fatal({ invariant, detail }, "the books don't balance: outflows are stopped");
  }
}

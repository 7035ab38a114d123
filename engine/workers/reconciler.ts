/** Checks the books each minute and soon after finality has moved, and claims what a linked wallet had sent by then. */
import { setTimeout as delay } from "node:timers/promises";
import { readCursor } from "../db/cursor.ts";
import { runReconciliation } from "../services/books.ts";
import type { Context } from "../services/context.ts";
import { claimOwnedSuspense } from "../services/suspense.ts";

const atLeastEachMs = 60_000;
/** A full check reads every book: not with each block of a real chain. */
const atMostEachMs = 20_000;
const lookEachMs = 2_000;

/** Runs until the signal comes; a check that is under way then is finished. Any number of processes may run it. */
export async function startReconciler(context: Context, { signal }: { signal: AbortSignal }): Promise<void> {
  const shortestMs = context.settings.chainIsLocal ? lookEachMs : atMostEachMs;
  let checked = { atMs: Number.NEGATIVE_INFINITY, finalized: -1n };
  while (!signal.aborted) {
    try {
      const finalized = (await readCursor(context.pool))?.finalized_number ?? 0n;
      const sinceMs = performance.now() - checked.atMs;
      const hasMoved = finalized !== checked.finalized && sinceMs >= shortestMs;
      if (hasMoved || sinceMs >= atLeastEachMs) {
        checked = { atMs: performance.now(), finalized };
        await claimOwnedSuspense(context);
        await runReconciliation(context);
      }
    } catch (error) {
      context.log.error({ error }, "the books can't be checked");
    }
    await delay(lookEachMs, undefined, { signal }).catch(() => undefined);
  }
}

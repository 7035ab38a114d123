/** Checks the books each minute and soon after finality has moved, and claims what a linked wallet had sent by then. */
import { readCursor } from "../db/cursor.ts";
import { runReconciliation } from "../services/books.ts";
import type { Context } from "../services/context.ts";
import { claimOwnedSuspense } from "../services/suspense.ts";
import { runLoop } from "./loop.ts";

const atLeastEachMs = 60_000;
/** A full check reads every book: not with each block of a real chain. */
const atMostEachMs = 20_000;
const lookEachMs = 2_000;
/** Finality of Base comes some 20 minutes late; whatever keeps it longer, a person has to look. */
const longestStandMs = 60 * 60_000;
/** A check that takes long comes less often, so that others get this many times as much of the database. */
const restPerCheck = 20;

/** Runs until the signal comes; a check that is under way then is finished. Any number of processes may run it. */
export function startReconciler(context: Context, { signal }: { signal: AbortSignal }): Promise<void> {
  const shortestMs = context.settings.chainIsLocal ? 0 : atMostEachMs;
  let standing = { finalized: -1n, sinceMs: performance.now() };
  let checked: { atMs: number; tookMs: number; finalized: bigint } | null = null;
  const round = async (): Promise<boolean> => {
    const finalized = (await readCursor(context.pool))?.finalized_number ?? 0n;
    const nowMs = performance.now();
    if (finalized !== standing.finalized) standing = { finalized, sinceMs: nowMs };
    if (nowMs - standing.sinceMs > longestStandMs) {
      standing.sinceMs = nowMs;
      context.log.error({ finalized: finalized.toString() }, "no block has become final for an hour");
    }
    const sinceMs = checked === null ? Number.POSITIVE_INFINITY : nowMs - checked.atMs;
    const restMs = Math.max(shortestMs, Math.min((checked?.tookMs ?? 0) * restPerCheck, atLeastEachMs));
    if (sinceMs < (finalized === checked?.finalized ? atLeastEachMs : restMs)) return false;
    const startedAtMs = performance.now();
    // Nothing may keep the books from being checked.
    await claimOwnedSuspense(context).catch((error: unknown) =>
      context.log.error({ error }, "what lies in suspense couldn't be claimed"),
    );
    await runReconciliation(context);
    const atMs = performance.now();
    checked = { atMs, tookMs: atMs - startedAtMs, finalized };
    return false;
  };
  return runLoop({ name: "the check of the books", round, restMs: lookEachMs, log: context.log, signal });
}

/** Ends what has run out of time: wakes at the next clock, and every second. */
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../services/context.ts";
import { nextDeadlineMs, runDueDeadlines } from "../services/deadlines.ts";

const mostAtOnce = 100;
const longestSleepMs = 1_000;
/** A clock that can't be handled now must not make us spin. */
const shortestSleepMs = 20;

/** Runs until the signal comes; what is being handled then is finished first. Any number of processes may run it. */
export async function startDeadlines(context: Context, { signal }: { signal: AbortSignal }): Promise<void> {
  while (!signal.aborted) {
    let sleepMs = longestSleepMs;
    try {
      const handled = await runDueDeadlines(context, { limit: mostAtOnce });
      sleepMs = handled === mostAtOnce ? 0 : await untilNextMs(context);
    } catch (error) {
      context.log.error({ error }, "deadlines can't be read");
    }
    await delay(sleepMs, undefined, { signal }).catch(() => undefined);
  }
}

async function untilNextMs(context: Context): Promise<number> {
  const nextMs = await nextDeadlineMs(context);
  const untilMs = (nextMs ?? Number.POSITIVE_INFINITY) - context.clock();
  // What is overdue by so much is at rest, or somebody else is at it.
  if (untilMs < -longestSleepMs) return longestSleepMs;
  return Math.min(longestSleepMs, Math.max(shortestSleepMs, untilMs));
}

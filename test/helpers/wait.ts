import { setTimeout as delay } from "node:timers/promises";

/** What takes a moment takes several on a machine that is busy with other tests; only a failure has to wait for it. */
const patience = 3;

/**
 * Asks until the answer is something (not `undefined`, `null` or `false`) and gives it back.
 *
 * @throws when `timeoutMs` (5 s unless told) have passed three times over, naming `what` was waited for and the last error, if any.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<Exclude<T, undefined | null | false>> {
  const { what, everyMs = 10 } = options;
  const timeoutMs = patience * (options.timeoutMs ?? 5_000);
  const giveUpAt = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (isSomething(answer)) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > giveUpAt) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError });
    }
    await delay(everyMs);
  }
}

/** Waits until somebody waits for a lock in the database that `query` asks. */
export const untilLocked = (query: (text: string) => Promise<unknown[]>, what: string): Promise<true> =>
  waitFor(
    async () =>
      (
        await query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
      ).length > 0,
    { what },
  );

function isSomething<T>(answer: T): answer is Exclude<T, undefined | null | false> {
  return answer !== undefined && answer !== null && answer !== false;
}

import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks until the answer is something (not `undefined`, `null` or `false`) and gives it back.
 *
 * @throws when `timeoutMs` (5 s unless told) have passed, naming `what` was waited for and the last error, if any.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<Exclude<T, undefined | null | false>> {
  const { what, timeoutMs = 5_000, everyMs = 10 } = options;
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

function isSomething<T>(answer: T): answer is Exclude<T, undefined | null | false> {
  return answer !== undefined && answer !== null && answer !== false;
}

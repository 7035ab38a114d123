/** A bounded loop: work, rest, until told to stop. A failure is logged and rested upon, longer each time. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";

export interface LoopOptions {
  name: string;
  /** True when there may be more to do at once. */
  round: () => Promise<boolean>;
  /** Rest after a round that found nothing, ms. */
  restMs: number;
  log: Logger;
  signal: AbortSignal;
}

const longestRestMs = 10_000;
/** A loop that always finds more must still let others breathe. */
const betweenRoundsMs = 1;

/** Ends after the signal, when the round under way is over. */
export async function runLoop({ name, round, restMs, log, signal }: LoopOptions): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let pauseMs = restMs;
    try {
      pauseMs = (await round()) ? betweenRoundsMs : restMs;
      failures = 0;
    } catch (error) {
      failures += 1;
      pauseMs = Math.min(longestRestMs, restMs * 2 ** failures);
      if (!signal.aborted) log.error({ error, failures }, `${name} failed and tries again`);
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

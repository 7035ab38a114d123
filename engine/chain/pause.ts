import { setTimeout as delay } from "node:timers/promises";

/** Waits, or less when `signal` is aborted. Never throws. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);

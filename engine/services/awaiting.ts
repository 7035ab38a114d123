/** What a process needs at its start and only the one that leads makes. */
import { setTimeout as delay } from "node:timers/promises";

export interface Patience {
  signal: AbortSignal;
  /** The sentence for whoever started it in vain: what to do. */
  otherwise: string;
}

const mostMs = 30_000;
const restMs = 100;

/**
 * What `look` finds, once it does; null and undefined are nothing.
 * @throws with `otherwise` after half a minute or the signal
 */
export async function awaitMade<Value>(
  look: () => Promise<Value | null | undefined>,
  { signal, otherwise }: Patience,
): Promise<Value> {
  const giveUpAtMs = performance.now() + mostMs;
  for (;;) {
    const found = await look();
    if (found != null) return found;
    if (signal.aborted || performance.now() > giveUpAtMs) throw new Error(otherwise);
    await delay(restMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Has the providers agree on what is about to be final, beside the follower: a slow one must not hold up new blocks. */
import { setTimeout as delay } from "node:timers/promises";
import type { BlockId } from "../chain/types.ts";
import { agreeUpTo } from "../services/agreeing.ts";
import type { Context } from "../services/context.ts";

/** Disagreement takes a person or a node that catches up: it is looked at again after so many polls. */
const pollsToWait = 4;
/** What was taken back is read again by the follower meanwhile, perhaps from the same liar. */
const pollsAfterTakingBack = 100;

export interface Agreeing {
  /** The providers call the chain final up to this block, by the follower's last word. */
  want(finalized: BlockId): void;
  /** Settles after the signal. */
  done: Promise<void>;
}

export function startAgreeing(context: Context, { signal }: { signal: AbortSignal }): Agreeing {
  let wanted: BlockId | null = null;
  let wake: () => void = () => undefined;
  signal.addEventListener("abort", () => wake(), { once: true });
  const rest = (ms: number): Promise<unknown> => delay(ms, undefined, { signal }).catch(() => undefined);

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (wanted === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const goal: BlockId = wanted;
      const outcome = await agreeUpTo(context, goal).catch((error: unknown) => {
        if (!signal.aborted) context.log.error({ error }, "finality can't be agreed on now");
        return "waiting" as const;
      });
      // What was taken back is followed and called final anew.
      if ((outcome === "reached" || outcome === "taken back") && wanted === goal) wanted = null;
      if (outcome === "waiting") await rest(context.settings.pollIntervalMs * pollsToWait);
      if (outcome === "taken back") await rest(context.settings.pollIntervalMs * pollsAfterTakingBack);
    }
  }
  return {
    want: (finalized) => {
      wanted = finalized;
      wake();
    },
    done: run(),
  };
}

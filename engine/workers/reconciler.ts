/** Checks the books against themselves and against the chain, again and again; a breach stops what would leave. */
import type { Context } from "../services/context.ts";
import { reconcile } from "../services/reconciling.ts";
import { runLoop } from "./loop.ts";

/** Ends after the signal. A chain that is silent for a moment is no breach: the check comes again. */
export async function startReconciler(
  context: Context,
  { signal, everyMs = context.settings.chainIsLocal ? 10_000 : 60_000 }: { signal: AbortSignal; everyMs?: number },
): Promise<void> {
  await runLoop({
    name: "the check of the books",
    restMs: everyMs,
    round: async () => {
      await reconcile(context);
      return false;
    },
    log: context.log,
    signal,
  });
}

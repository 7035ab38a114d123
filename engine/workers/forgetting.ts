/** Drops events that were published long ago, so that the outbox stays small. */
import type { Context } from "../services/context.ts";
import { forgetOldEvents } from "../services/relay.ts";
import { runLoop } from "./loop.ts";

const lookEachMs = 60_000;

/** Runs until the signal comes. */
export const startForgetting = (context: Context, { signal }: { signal: AbortSignal }): Promise<void> =>
  runLoop({
    name: "dropping old events",
    round: () => forgetOldEvents(context),
    restMs: lookEachMs,
    log: context.log,
    signal,
  });

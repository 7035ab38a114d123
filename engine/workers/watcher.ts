/** Follows the chain from the cursor and writes down what happens. */
import { setTimeout as delay } from "node:timers/promises";
import { DeepReorgError } from "../chain/errors.ts";
import { type FollowOptions, follow } from "../chain/follow.ts";
import type { Sighting } from "../chain/types.ts";
import { readCursor, readRecentBlocks } from "../db/cursor.ts";
import { applyChainEvent, raiseDeepReorg, referred, StaleEventError } from "../services/chain-events.ts";
import type { Context } from "../services/context.ts";
import { Lookout } from "../services/lookout.ts";
import { knownTokens } from "../services/tokens.ts";
import { type Agreeing, startAgreeing } from "./agreeing.ts";

const restAfterFailureMs = 1_000;
const restAfterDeepReorgMs = 30_000;

/** Connections of its own: what a block needs stays warm in them, and no other work is in its way. */
export const watcherConnections = 3;

export interface WatcherOptions {
  signal: AbortSignal;
  /** Called after each event: whoever waits for blocks may look. */
  onEvent?: () => void;
}

/** Ends after the signal. Any failure leads back to the cursor; a deep reorg stops outflows and is looked at again later. */
export async function runWatcher(
  context: Context,
  { signal, onEvent = () => undefined }: WatcherOptions,
): Promise<void> {
  const agreeing = startAgreeing(context, { signal });
  while (!signal.aborted) {
    let restMs = 0;
    try {
      await followOnce(context, { signal, onEvent, agreeing });
    } catch (error) {
      if (signal.aborted) break;
      restMs = restAfterFailureMs;
      if (error instanceof DeepReorgError) {
        await raiseDeepReorg(context, error.message).catch((failure: unknown) =>
          context.log.error({ error: failure }, "a breach can't be written"),
        );
        restMs = restAfterDeepReorgMs;
      } else if (!(error instanceof StaleEventError)) {
        context.log.error({ error }, "following the chain failed; it begins again from the cursor");
      }
    }
    await delay(restMs, undefined, { signal }).catch(() => undefined);
  }
  await agreeing.done;
}

/** Where the books stand, for a follower to begin at. */
export async function readPlace(
  context: Context,
): Promise<Pick<FollowOptions, "from" | "finalized" | "recentBlocks" | "tokens">> {
  const cursor = await readCursor(context.pool);
  const recentBlocks = (await readRecentBlocks(context.pool)).map(referred);
  const finalized =
    cursor === null ? null : (recentBlocks.find(({ number }) => number === cursor.finalized_number) ?? null);
  return {
    from: cursor === null ? null : { number: cursor.head_number, hash: cursor.head_hash },
    finalized: finalized ?? (cursor === null ? null : { number: cursor.finalized_number, hash: "" }),
    recentBlocks,
    tokens: [...(await knownTokens(context.pool)).keys()],
  };
}

async function followOnce(
  context: Context,
  { signal, onEvent, agreeing }: { signal: AbortSignal; onEvent: () => void; agreeing: Agreeing },
): Promise<void> {
  const place = await readPlace(context);
  const { pollIntervalMs } = context.settings;
  const lookout = new Lookout(context.pool);
  const sighted = (sighting: Sighting): void => lookout.note(sighting);
  const events = follow(context.chain, { ...place, pollIntervalMs, signal, sighted });
  let after = place.from?.hash ?? null;
  for await (const event of events) {
    const foresight = event.type === "block" ? await lookout.take(event.transfers) : null;
    after = await applyChainEvent(context, event, { after, foresight });
    if (event.type === "finalized" && context.chain.quorum > 1) agreeing.want(event.block);
    onEvent();
  }
}

/** The chain's work, which one process at a time does: follow, credit, send, confirm, check. */
import { setMaxListeners } from "node:events";
import type { Pool } from "../db/pool.ts";
import { confirmRound } from "../services/confirming.ts";
import type { Context } from "../services/context.ts";
import { checkNonces } from "../services/foreign-nonces.ts";
import { noteProviders } from "../services/providers.ts";
import { recoverRound } from "../services/recovery.ts";
import { sendRound } from "../services/sending.ts";
import { listTriedTokens, type TriedToken, watchTokens } from "../services/token-watch.ts";
import { ensureSpareWallets } from "../services/wallets.ts";
import { type Lead, type Leases, runAsLeader } from "./leader.ts";
import { runLoop } from "./loop.ts";
import { startReconciler } from "./reconciler.ts";
import { runWatcher } from "./watcher.ts";

const spareWallets = 20;
const noteProvidersMs = 2_000;
const watchTokensMs = 30_000;
const listAgainMs = 500;
/** Most of the time there is nothing to recover. */
const recoverEachMs = 1_000;
/** That many may wait for one signal; Node warns of more, as of a leak. */
const mostLoops = 20;
/** Processes without keys wait for these. */
const lookForSpareMs = 500;

export interface ChainWorkOptions {
  leases: Leases;
  watcherPool: Pool;
  signal: AbortSignal;
  tried?: TriedToken[];
}

/**
 * Waits for its turn, works while it leads, and ends after the signal.
 * @param watcherPool what the watcher works on (`watcherConnections`)
 * @param tried the tokens that are listed while this process leads; absent: those that are
 */
export const startChainWork = (
  context: Context,
  { leases, watcherPool, signal, tried }: ChainWorkOptions,
): Promise<void> =>
  runAsLeader(leases, {
    name: "chain",
    signal,
    lead: async (leadership) => {
      // Before anything else: what is followed is known from the list.
      if (tried !== undefined) await listFirst(context, leadership, tried);
      if (!leadership.signal.aborted) await lead(context, leadership, watcherPool);
    },
  });

/** Until it is done: a database that is away comes back, or the lead is lost. */
async function listFirst(context: Context, { fence, signal }: Lead, tried: TriedToken[]): Promise<void> {
  const done = new AbortController();
  await runLoop({
    ...{ name: "listing the tokens", log: context.log, restMs: listAgainMs },
    signal: AbortSignal.any([signal, done.signal]),
    round: async () => {
      await listTriedTokens(context, { fence }, tried);
      done.abort();
      return false;
    },
  });
}

async function lead(context: Context, { fence, signal }: Lead, watcherPool: Pool): Promise<void> {
  const { log, settings } = context;
  const loop = (name: string, restMs: number, round: () => Promise<boolean>): Promise<void> =>
    runLoop({ name, restMs, round, log, signal });
  const idle = async (work: Promise<unknown>): Promise<boolean> => {
    await work;
    return false;
  };
  setMaxListeners(mostLoops, signal);
  // While nobody led, a token may have become another: nothing is sent before that was looked at.
  let tokensLookedAt = false;
  await Promise.all([
    runWatcher({ ...context, pool: watcherPool }, { signal }),
    loop("the watch of the tokens", watchTokensMs, async () => {
      await watchTokens(context);
      tokensLookedAt = true;
      return false;
    }),
    loop("sending", settings.sendIntervalMs, async () => tokensLookedAt && sendRound(context, { fence })),
    loop("confirming", settings.confirmAfterMs, () => confirmRound(context)),
    loop("recovery", recoverEachMs, () => idle(recoverRound(context))),
    loop("the check of nonces", settings.pollIntervalMs * 5, () => idle(checkNonces(context))),
    loop("the nodes' health", noteProvidersMs, () => idle(noteProviders(context))),
    loop("spare wallets", lookForSpareMs, () =>
      idle(
        Promise.all([
          ensureSpareWallets(context, "escrow", spareWallets),
          ensureSpareWallets(context, "deposit", spareWallets),
        ]),
      ),
    ),
    startReconciler(context, { signal }),
  ]);
}

/** The chain's work: one process at a time does it, under a lease with a fence. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { giveUpLease, takeLease } from "../db/lease.ts";
import { confirmRound } from "../services/confirming.ts";
import type { Context } from "../services/context.ts";
import { checkNonces } from "../services/foreign-nonces.ts";
import { sendRound } from "../services/sending.ts";
import { ensureSpareWallets } from "../services/wallets.ts";
import { runLoop } from "./loop.ts";
import { startReconciler } from "./reconciler.ts";
import { runWatcher } from "./watcher.ts";

const leaseMs = 10_000;
const renewMs = 3_000;
const spareWallets = 5;

/** Waits for the lease, works while it holds it, and ends after the signal. */
export async function startChainWork(context: Context, { signal }: { signal: AbortSignal }): Promise<void> {
  const holder = randomUUID();
  while (!signal.aborted) {
    const fence = await takeLease(context.pool, { name: "chain", holder, forMs: leaseMs }).catch(() => null);
    if (fence === null) await delay(renewMs, undefined, { signal }).catch(() => undefined);
    else await lead(context, { holder, fence, signal });
  }
  await giveUpLease(context.pool, { name: "chain", holder }).catch(() => undefined);
}

async function lead(
  context: Context,
  { holder, fence, signal }: { holder: string; fence: number; signal: AbortSignal },
): Promise<void> {
  const { log, settings } = context;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal.addEventListener("abort", end, { once: true });
  log.info({ fence }, "this process does the chain's work");
  const loop = (name: string, restMs: number, round: () => Promise<boolean>): Promise<void> =>
    runLoop({ name, restMs, round, log, signal: ending.signal });
  const idle = async (work: Promise<unknown>): Promise<boolean> => {
    await work;
    return false;
  };
  await Promise.all([
    runWatcher(context, { signal: ending.signal }),
    loop("sending", settings.sendIntervalMs, () => sendRound(context, { fence })),
    loop("confirming", settings.confirmAfterMs, () => confirmRound(context)),
    loop("the check of nonces", settings.pollIntervalMs * 5, () => idle(checkNonces(context))),
    loop("spare wallets", 2_000, () =>
      idle(
        Promise.all([
          ensureSpareWallets(context, "escrow", spareWallets),
          ensureSpareWallets(context, "deposit", spareWallets),
        ]),
      ),
    ),
    startReconciler(context, { signal: ending.signal }),
    renew(context, { holder, fence, signal: ending.signal }).finally(end),
  ]);
  signal.removeEventListener("abort", end);
}

/** Keeps the lease; ends when it is lost, which ends everything else. */
async function renew(
  context: Context,
  { holder, fence, signal }: { holder: string; fence: number; signal: AbortSignal },
): Promise<void> {
  let heldUntilMs = performance.now() + leaseMs;
  while (!signal.aborted) {
    await delay(renewMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const held = await takeLease(context.pool, { name: "chain", holder, forMs: leaseMs }).catch(
      () => undefined,
    );
    if (held === fence) heldUntilMs = performance.now() + leaseMs;
    else if (held !== undefined || performance.now() > heldUntilMs) {
      context.log.error({ fence }, "the chain's work goes to another process");
      return;
    }
  }
}

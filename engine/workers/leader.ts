/** Work that one process at a time does, under a lease with a fence. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { giveUpLease, takeLease } from "../db/lease.ts";
import type { Context, Leadership } from "../services/context.ts";

const leaseMs = 10_000;
const renewMs = 3_000;
/** Whoever waits follows a leader that stopped after this, and one that was killed when its lease has run out. */
const askMs = 500;

export interface Lead extends Leadership {
  /** Comes when the lease is lost, or at the end of all. */
  signal: AbortSignal;
}
export interface LeaderOptions {
  /** What the lease is called. */
  name: "chain" | "relay";
  signal: AbortSignal;
  /** Ends after its signal. */
  lead: (lead: Lead) => Promise<unknown>;
}

/** A connection of its own, so that a lease is renewed however busy the others are. */
export type Leases = Pick<Context, "pool" | "log">;
export const leaseConnections = 1;

/** Waits for the lease, leads while it holds it, and ends after the signal. */
export async function runAsLeader(leases: Leases, { name, signal, lead }: LeaderOptions): Promise<void> {
  const holder = randomUUID();
  const lease = { name, holder, forMs: leaseMs };
  while (!signal.aborted) {
    const fence = await takeLease(leases.pool, lease).catch(() => null);
    if (fence === null) {
      await delay(askMs, undefined, { signal }).catch(() => undefined);
      continue;
    }
    leases.log.info({ fence, work: name }, "this process leads");
    const ending = new AbortController();
    const end = (): void => ending.abort();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end(); // It came while the lease was asked for.
    const keep = keepLease(leases, { lease, fence, signal: ending.signal }).finally(end);
    await Promise.all([lead({ fence, signal: ending.signal }), keep]);
    signal.removeEventListener("abort", end);
  }
  await giveUpLease(leases.pool, { name, holder }).catch(() => undefined);
}

/** Renews the lease; ends when it is lost. */
async function keepLease(
  leases: Leases,
  {
    lease,
    fence,
    signal,
  }: { lease: { name: string; holder: string; forMs: number }; fence: number; signal: AbortSignal },
): Promise<void> {
  let heldUntilMs = performance.now() + leaseMs;
  while (!signal.aborted) {
    await delay(renewMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const held = await takeLease(leases.pool, lease).catch(() => undefined);
    if (held === fence) heldUntilMs = performance.now() + leaseMs;
    else if (held !== undefined || performance.now() > heldUntilMs) {
      leases.log.error({ fence, work: lease.name }, "the lead goes to another process");
      return;
    }
  }
}

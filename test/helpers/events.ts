/** The relay's side of the outbox, for tests in which no relay runs. */
import { takeLease } from "../../engine/db/lease.ts";
import type { Context } from "../../engine/services/context.ts";
import { type NumberedEvent, takeEvents } from "../../engine/services/relay.ts";

const holder = "test";

/** The next numbered events. */
export async function takeNextEvents(context: Context, limit: number): Promise<NumberedEvent[]> {
  const fence = await takeLease(context.pool, { name: "relay", holder, forMs: 60_000 });
  if (fence === null) throw new Error("another relay runs");
  return takeEvents(context, { fence, limit });
}

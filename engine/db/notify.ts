/** Wake-ups between processes. They only save waiting: whoever listens also looks by itself. */
import pg from "pg";
import type { Queryable } from "./pool.ts";

export type Channel = "outbox" | "session_ended";

export async function notify(db: Queryable, channel: Channel, payload = ""): Promise<void> {
  await db.query("SELECT pg_notify($1, $2)", [channel, payload]);
}

/** A function that wakes whoever listens; calls that come while a wake-up is on its way share the next one. */
export function createWaker(db: Queryable, channel: Channel): () => void {
  let isUnderWay = false;
  let isWanted = false;
  const wake = async (): Promise<void> => {
    isUnderWay = true;
    while (isWanted) {
      isWanted = false;
      // Lost is late, not more: see above.
      await notify(db, channel).catch(() => undefined);
    }
    isUnderWay = false;
  };
  return () => {
    isWanted = true;
    if (!isUnderWay) void wake();
  };
}

/**
 * Calls `heard` for each notification, on a connection of its own, until aborted. A lost connection is opened anew
 * after a second; `heard` is called then too, since something may have been missed.
 */
export async function listen(
  url: string,
  channel: Channel,
  heard: (payload: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({
      connectionString: url,
      application_name: `on-the-rail listens to ${channel}`,
      keepAlive: true,
    });
    const over = new Promise<void>((resolve) => {
      client.once("end", () => resolve());
      client.once("error", () => resolve());
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      await client.connect();
      client.on("notification", ({ payload }) => heard(payload ?? ""));
      await client.query(`LISTEN ${channel}`);
      heard(null);
      await over;
    } catch {
      // Tried again below: the listener polls meanwhile.
    } finally {
      await client.end().catch(() => undefined);
    }
    if (!signal.aborted) await pause(1_000, signal);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });

/** Whether this process can serve: it can while the database answers. */
import type { z } from "zod";
import type { health } from "../contract/operations.ts";
import { isAway as isDatabaseAway } from "../db/errors.ts";
import { readPulse } from "../db/health.ts";
import type { Context } from "./context.ts";
import { KeysAwayError } from "./wallets.ts";

/** What the request needs is away for now: the database, or the process that holds the keys. */
export const isAway = (error: unknown): boolean => isDatabaseAway(error) || error instanceof KeysAwayError;

const answerWithinMs = 3_000;

/** The chain is told of, but doesn't count: people can sign in and play without it. */
export async function checkHealth(context: Context): Promise<z.output<typeof health>> {
  try {
    const { chainMovedSecondsAgo } = await withinMs(answerWithinMs, readPulse(context.pool));
    const chain = chainMovedSecondsAgo === null ? "no block yet" : `last block ${chainMovedSecondsAgo} s ago`;
    return { ok: true, checks: { database: "ok", chain } };
  } catch (error) {
    context.log.warn({ error }, "the database doesn't answer");
    return { ok: false, checks: { database: "doesn't answer" } };
  }
}

function withinMs<Value>(limitMs: number, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing within ${limitMs} ms`)), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Which queued instructions are looked at now: every purse has its turn, however many wait that can't be paid. */
import { type DueInstruction, type Purse, readDueInstructions } from "../db/due.ts";
import type { Pool } from "../db/pool.ts";
import type { Context } from "./context.ts";

const mostAtOnce = 2_000;
/** Where the last look ended, when there were more purses than it could take. */
const ends = new WeakMap<Pool, Purse>();

/** At most `limit` that are due, from where the last look ended. */
export async function readDue(
  context: Pick<Context, "pool" | "clock">,
  limit = mostAtOnce,
): Promise<DueInstruction[]> {
  const { pool, clock } = context;
  const after = ends.get(pool) ?? null;
  const due = await readDueInstructions(pool, { now: new Date(clock()), after, limit });
  const last = due.at(-1);
  const purses = new Set(due.map(({ wallet_id, token }) => `${wallet_id} ${token}`));
  if (last === undefined || purses.size < limit) ends.delete(pool);
  else ends.set(pool, { walletId: last.wallet_id, token: last.token });
  return due.length === 0 && after !== null ? readDue(context, limit) : due;
}

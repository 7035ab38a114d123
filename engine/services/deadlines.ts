/** Clocks that have run out: an offer lapses, a game is settled as reported or refunded. */
import type { Result } from "../contract/problems.ts";
import { lockDueGame, readNextDeadline } from "../db/games.ts";
import type { Pool, Tx } from "../db/pool.ts";
import { lockDueProposal, readNextLapse } from "../db/proposals.ts";
import type { Context } from "./context.ts";
import { commandGame } from "./game-writing.ts";
import { applyToOffer } from "./offer-writing.ts";
import { change } from "./transaction.ts";

type Kind = "game" | "proposal";
/** What one transaction is at, told before it may fail. */
type Note = (id: string) => void;

/** One that failed rests so long, so that it neither takes the turn of others nor makes us spin. */
const restMs = 60_000;
const resting = new WeakMap<Pool, Map<string, number>>();

/**
 * Handles up to `limit` clocks that have run out, the longest overdue first, each in a transaction of its own. Any number
 * of processes may do so at once: a row that somebody else is at is skipped. One that fails is logged and left for a
 * minute, and doesn't hold up the others.
 * @returns how many were handled
 */
export async function runDueDeadlines(context: Context, { limit }: { limit: number }): Promise<number> {
  const rests = restsOf(context);
  let [handled, tried] = [0, 0];
  for (const kind of ["game", "proposal"] as const) {
    for (; tried < limit; tried += 1) {
      let at: string | null = null;
      try {
        if (!(await runOne(context, { kind, except: [...rests.keys()], note: (id) => (at = id) }))) break;
        handled += 1;
      } catch (error) {
        // Not a row's fault: the database is away.
        if (at === null) throw error;
        context.log.error({ error, kind, id: at }, "a deadline couldn't be handled");
        rests.set(at, context.clock() + restMs);
      }
    }
  }
  return handled;
}

/** The ids of those that rest, and until when. */
function restsOf({ pool, clock }: Context): Map<string, number> {
  const now = clock();
  const rests = new Map([...(resting.get(pool) ?? [])].filter(([, untilMs]) => untilMs > now));
  resting.set(pool, rests);
  return rests;
}

/** False when nothing of the kind is due. */
async function runOne(
  context: Context,
  { kind, except, note }: { kind: Kind; except: string[]; note: Note },
): Promise<boolean> {
  const result = await change(context, async (tx): Promise<Result<boolean>> => {
    const due = { now: new Date(context.clock()), except };
    const ended = await (kind === "game" ? endGame(context, tx, due, note) : lapse(context, tx, due, note));
    return ended === null ? { ok: true, value: false } : ended.ok ? { ok: true, value: true } : ended;
  });
  // The row is locked and its clock was compared with ours, so that the core can't see it otherwise.
  if (!result.ok) throw new Error(`refused with ${result.rejection.code}`);
  if (kind === "game" && result.value) context.reached("settled");
  return result.value;
}

type Due = { now: Date; except: string[] };

async function endGame(context: Context, tx: Tx, due: Due, note: Note): Promise<Result<unknown> | null> {
  const gameId = await lockDueGame(tx, due);
  if (gameId === null) return null;
  note(gameId);
  return commandGame(context, tx, { gameId, command: { type: "deadline" } });
}

async function lapse(context: Context, tx: Tx, due: Due, note: Note): Promise<Result<unknown> | null> {
  const proposal = await lockDueProposal(tx, due);
  if (proposal === null) return null;
  note(proposal.id);
  return applyToOffer(context, tx, proposal, { type: "expire" });
}

/** When the next clock runs out, milliseconds since 1970; null while none runs. */
export async function nextDeadlineMs(context: Context): Promise<number | null> {
  const moments = [await readNextLapse(context.pool), await readNextDeadline(context.pool)];
  const known = moments.flatMap((at) => (at === null ? [] : [at.getTime()]));
  return known.length === 0 ? null : Math.min(...known);
}

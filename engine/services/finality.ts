/** What follows when blocks are beyond reorg. */
import { finalizeMined } from "../db/confirming.ts";
import { type Cursor, moveFinality } from "../db/cursor.ts";
import { finalizeDeposits, readNewlyPosted, trimExposures } from "../db/deposits.ts";
import { releaseCollections } from "../db/due.ts";
import type { Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { choosePlayable, credit, readCreditable } from "./crediting.ts";
import { tellDeposits } from "./deposit-events.ts";
import { tellInstructions } from "./instruction-events.ts";

/** Call it with the cursor locked. Neither number goes back, and neither goes beyond the head of the books. */
export async function applyFinality(
  context: Context,
  tx: Tx,
  cursor: Cursor,
  told: { finalized: bigint; safe: bigint },
): Promise<void> {
  const finalized = told.finalized < cursor.head_number ? told.finalized : cursor.head_number;
  const { safe } = told;
  await moveFinality(tx, { finalized, safe });
  const heads = { latest: cursor.head_number, safe, finalized };
  const credited = choosePlayable(context, await readCreditable(tx), heads);
  await credit(tx, credited, heads);
  const final = await finalizeDeposits(tx, finalized);
  await trimExposures(tx, finalized);
  await releaseCollections(tx, { finalized, minima: context.settings.collectMinimum });
  await tellInstructions(context, tx, await finalizeMined(tx, finalized));
  const posted = await readNewlyPosted(tx, { above: cursor.safe_number, upTo: safe });
  await tellDeposits(context, tx, [...new Set([...credited.map(({ id }) => id), ...final, ...posted])]);
}

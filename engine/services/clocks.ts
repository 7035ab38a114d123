/**
 * Clocks while a recovery stands. What the players and the operator said after the backup isn't in the books: a game that
 * its clock ended then would pay whoever spoke before. So nothing ends by itself (`lockDueGame`, `lockDueProposal`), those
 * who play and decide can say it again, and who ends the recovery gives everybody their time.
 */
import { putGamesLater, putOffersLater } from "../db/clocks.ts";
import type { Tx } from "../db/pool.ts";
import type { Recovery } from "../db/recovery.ts";
import type { Context } from "./context.ts";
import { viewGames } from "./game-view.ts";
import { tell } from "./outbox.ts";
import { viewProposals } from "./proposal-view.ts";
import { gameTelling, proposalTelling } from "./wager-tellings.ts";

/** While it stands, time is given anew when half of it is over: each is told of seldom, and nobody finds a clock run out. */
const leastShare = 0.5;

/** Keeps what is open in games open, and tells whoever looks on. Offers needn't be: nobody can take one. */
export const keepGamesOpen = (context: Context, tx: Tx, recovery: Recovery): Promise<void> =>
  giveTime(context, tx, recovery, leastShare);

/** With the end of a recovery: every game has the whole of its time left, and every offer what it had at the beginning. */
export async function restartClocks(context: Context, tx: Tx, recovery: Recovery): Promise<void> {
  await giveTime(context, tx, recovery, 1);
  const ids = await putOffersLater(tx, { byMs: context.clock() - recovery.began_at.getTime() });
  const offers = await viewProposals(context, tx, ids);
  await tell(
    tx,
    offers.map((offer) => proposalTelling(offer, { isPublic: offer.taker === null })),
  );
}

async function giveTime(context: Context, tx: Tx, { began_at: since }: Recovery, share: number) {
  const ids = await putGamesLater(tx, { at: new Date(context.clock()), since, share });
  await tell(tx, (await viewGames(context, tx, ids)).map(gameTelling));
}

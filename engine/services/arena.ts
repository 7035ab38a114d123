/** The public feed: what can be taken, what is being played, what has just ended. */
import type { z } from "zod";
import type { Result } from "../contract/problems.ts";
import type { listings } from "../contract/wager.ts";
import { listGames } from "../db/games.ts";
import { listProposals } from "../db/proposal-reads.ts";
import type { Context } from "./context.ts";
import { viewRecords } from "./game-view.ts";
import { proposalView } from "./proposal-view.ts";
import { knownTokens } from "./tokens.ts";

const mostOffers = 50;
const mostGames = 50;
const mostSettled = 25;

/** Newest first in each list; six statements, however much there is. */
export async function readListings(context: Context): Promise<Result<z.infer<typeof listings>>> {
  const { pool } = context;
  const tokens = await knownTokens(pool);
  const offers = await listProposals(pool, {
    playerId: null,
    box: "public",
    below: null,
    limit: mostOffers,
    now: new Date(context.clock()),
  });
  const all = { playerId: null, below: null } as const;
  const underWay = await listGames(pool, { list: "underWay", ...all, limit: mostGames });
  const over = await listGames(pool, { list: "over", ...all, limit: mostSettled });
  const views = await viewRecords(context, pool, [...underWay, ...over]);
  const value = {
    offers: offers.map((row) => proposalView(tokens, row)),
    games: views.slice(0, underWay.length),
    settled: views.slice(underWay.length),
  };
  return { ok: true, value };
}

/** What anybody may see: the feed, the board, a player's page, a live room. */
import { readListings } from "../../services/arena.ts";
import type { Context } from "../../services/context.ts";
import { readLeaderboard, readPlayerPage } from "../../services/leaderboard.ts";
import { readLive } from "../../services/live.ts";
import type { HandlersOf } from "../call.ts";

type Names = "readListings" | "readLeaderboard" | "readPlayer" | "readLive";

export function arenaHandlers(context: Context): HandlersOf<Names> {
  return {
    readListings: () => readListings(context),
    readLeaderboard: () => readLeaderboard(context),
    readPlayer: ({ params }) => readPlayerPage(context, params.handle),
    readLive: ({ params }) => readLive(context, params.room),
  };
}

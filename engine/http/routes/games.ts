/** Games: what the players and the referee do to them, and what anybody may read of them. */
import { claimPayout } from "../../services/claiming.ts";
import type { Context } from "../../services/context.ts";
import * as games from "../../services/games.ts";
import type { HandlersOf } from "../call.ts";

type Names =
  | "listGames"
  | "readGame"
  | "readGameWallet"
  | "readGamePool"
  | "readPayouts"
  | "readReceipt"
  | "reportResult"
  | "claimPayout"
  | "addEvidence"
  | "decideGame";

export function gameHandlers(context: Context): HandlersOf<Names> {
  return {
    listGames: ({ session, query }) => games.listGames(context, { ...query, by: session.playerId }),
    readGame: ({ params }) => games.readGame(context, params.id),
    readGameWallet: ({ params }) => games.readGameWallet(context, params.id),
    readGamePool: ({ params }) => games.readGamePool(context, params.id),
    readPayouts: ({ params }) => games.readPayouts(context, params.id),
    readReceipt: ({ params }) => games.readReceipt(context, params.id),
    reportResult: ({ session, idempotency, params, body }) =>
      games.report(context, { ...body, by: session.playerId, idempotency, gameId: params.id }),
    claimPayout: ({ session, idempotency, params }) =>
      claimPayout(context, { by: session.playerId, idempotency, gameId: params.id }),
    addEvidence: ({ session, params, body }) =>
      games.addEvidence(context, { ...body, by: session.playerId, gameId: params.id }),
    decideGame: ({ session, idempotency, params, body }) =>
      games.decide(context, { ...body, by: session.playerId, idempotency, gameId: params.id }),
  };
}

/** The operator's desk. */
import { accept } from "../../contract/problems.ts";
import { readAuditPage } from "../../services/audit.ts";
import type { Context } from "../../services/context.ts";
import { listDisputes } from "../../services/game-reads.ts";
import { decideAsOperator, undo } from "../../services/games.ts";
import { listSuspense, refundSuspense } from "../../services/suspense.ts";
import type { HandlersOf } from "../call.ts";

type Names =
  | "listDisputes"
  | "decideDispute"
  | "undoSettlement"
  | "listSuspense"
  | "refundSuspense"
  | "readAudit";

export function operatorHandlers(context: Context): HandlersOf<Names> {
  return {
    listDisputes: async () => accept(await listDisputes(context)),
    decideDispute: ({ session, params, body }) =>
      decideAsOperator(context, { ...body, by: session.playerId, gameId: params.id }),
    undoSettlement: ({ session, params, body }) =>
      undo(context, { ...body, by: session.playerId, gameId: params.id }),
    listSuspense: () => listSuspense(context),
    refundSuspense: ({ session, params, body }) =>
      refundSuspense(context, { ...body, by: session, depositId: params.id }),
    readAudit: ({ query }) => readAuditPage(context, query),
  };
}

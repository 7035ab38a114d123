/** The operator's desk. */
import { accept } from "../../contract/problems.ts";
import { assignSuspense } from "../../services/assigning.ts";
import { readAuditPage } from "../../services/audit.ts";
import type { Context } from "../../services/context.ts";
import { listDisputes } from "../../services/game-reads.ts";
import { decideAsOperator, undo } from "../../services/games.ts";
import { giveBack } from "../../services/giving-back.ts";
import { listInstructions, retryInstruction } from "../../services/instruction-list.ts";
import { liftBreach, readOverview, setSwitch } from "../../services/overview.ts";
import { listSuspense, refundSuspense } from "../../services/suspense.ts";
import { sweep } from "../../services/sweep.ts";
import { thaw } from "../../services/thawing.ts";
import type { HandlersOf } from "../call.ts";

type Names =
  | "readOverview"
  | "listDisputes"
  | "decideDispute"
  | "undoSettlement"
  | "listSuspense"
  | "refundSuspense"
  | "assignSuspense"
  | "listInstructions"
  | "retryInstruction"
  | "giveBack"
  | "sweep"
  | "setSwitch"
  | "liftBreach"
  | "thawWallet"
  | "readAudit";

export function operatorHandlers(context: Context): HandlersOf<Names> {
  return {
    readOverview: () => readOverview(context),
    listDisputes: async () => accept(await listDisputes(context)),
    decideDispute: ({ session, params, body }) =>
      decideAsOperator(context, { ...body, by: session.playerId, gameId: params.id }),
    undoSettlement: ({ session, params, body }) =>
      undo(context, { ...body, by: session.playerId, gameId: params.id }),
    listSuspense: () => listSuspense(context),
    refundSuspense: ({ session, params, body }) =>
      refundSuspense(context, { ...body, by: session, depositId: params.id }),
    assignSuspense: ({ session, params, body }) =>
      assignSuspense(context, { ...body, by: session, depositId: params.id }),
    listInstructions: ({ query }) => listInstructions(context, query),
    retryInstruction: ({ session, params, body }) =>
      retryInstruction(context, { ...body, by: session, instructionId: params.id }),
    giveBack: ({ session, params, body }) =>
      giveBack(context, { ...body, by: session, instructionId: params.id }),
    sweep: ({ session, body: { confirmTotal, ...request } }) =>
      sweep(context, {
        ...request,
        by: session,
        confirmTotal: confirmTotal === undefined ? undefined : BigInt(confirmTotal),
      }),
    setSwitch: ({ session, body }) => setSwitch(context, { ...body, by: session }),
    liftBreach: ({ session, params, body }) =>
      liftBreach(context, { ...body, by: session, breachId: params.id }),
    thawWallet: ({ session, params, body }) => thaw(context, { ...body, by: session, walletId: params.id }),
    readAudit: ({ query }) => readAuditPage(context, query),
  };
}

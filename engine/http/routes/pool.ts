/** The player's pool: what is in it, what came, what goes. */
import { accept } from "../../contract/problems.ts";
import { claimWithdrawal } from "../../services/claiming.ts";
import type { Context } from "../../services/context.ts";
import { findDeposit, listDeposits, readDepositAddress } from "../../services/deposit-list.ts";
import { readHistory } from "../../services/history.ts";
import { listOwnSuspense } from "../../services/own-suspense.ts";
import { readPoolBalances } from "../../services/pools.ts";
import { listWithdrawals, withdraw } from "../../services/withdrawals.ts";
import type { HandlersOf } from "../call.ts";

type Names =
  | "readBalances"
  | "readHistory"
  | "listDeposits"
  | "readDepositAddress"
  | "listOwnSuspense"
  | "findDeposit"
  | "withdraw"
  | "claimWithdrawal"
  | "listWithdrawals";

export function poolHandlers(context: Context): HandlersOf<Names> {
  return {
    readBalances: async ({ session }) =>
      accept({ balances: await readPoolBalances(context, context.pool, session.playerId) }),
    readHistory: ({ session, query }) => readHistory(context, { ...query, by: session.playerId }),
    listDeposits: ({ session, query }) => listDeposits(context, { ...query, by: session.playerId }),
    readDepositAddress: ({ session }) => readDepositAddress(context, session.playerId),
    listOwnSuspense: ({ session }) => listOwnSuspense(context, session.playerId),
    findDeposit: ({ session, body }) => findDeposit(context, { ...body, by: session.playerId }),
    withdraw: ({ session, idempotency, body }) =>
      withdraw(context, { ...body, amount: BigInt(body.amount), by: session.playerId, idempotency }),
    claimWithdrawal: ({ session, idempotency, params }) =>
      claimWithdrawal(context, { by: session.playerId, idempotency, withdrawalId: params.id }),
    listWithdrawals: ({ session, query }) => listWithdrawals(context, { ...query, by: session.playerId }),
  };
}

/** A deposit as its player sees it. */
import type { Deposit } from "../contract/account.ts";
import { readDepositsById, type ShownDeposit } from "../db/deposit-list.ts";
import type { Queryable } from "../db/pool.ts";
import type { Token } from "../db/tokens.ts";
import type { Context } from "./context.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

/** Some deposits and whose they are, for telling their players; what nobody is credited for is left out. */
export async function viewDeposits(
  context: Context,
  db: Queryable,
  depositIds: string[],
): Promise<{ playerId: string; deposit: Deposit }[]> {
  const tokens = await knownTokens(context.pool);
  const rows = await readDepositsById(db, depositIds);
  return rows.flatMap((row) =>
    row.player_id === null ? [] : [{ playerId: row.player_id, deposit: depositView(tokens, row) }],
  );
}

type Facts = Pick<
  ShownDeposit,
  "id" | "token" | "amount" | "state" | "posted" | "sender" | "tx_hash" | "block_number" | "created_at"
>;

export const depositView = (tokens: ReadonlyMap<string, Token>, row: Facts): Deposit => ({
  id: row.id,
  money: moneyOf(tokens, row.token, row.amount),
  state: row.state,
  posted: row.posted,
  sender: row.sender,
  txHash: row.tx_hash,
  blockNumber: row.block_number.toString(),
  seenAt: row.created_at.toISOString(),
});

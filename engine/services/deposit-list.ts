/** A player's deposits, and where to send them. */
import type { Deposit } from "../contract/account.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { readDepositsOf } from "../db/deposit-list.ts";
import { readDepositWallet } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { depositView } from "./deposit-view.ts";
import { knownTokens } from "./tokens.ts";

export { findDeposit } from "./deposit-search.ts";
export { viewDeposits } from "./deposit-view.ts";

const idPattern = /^[1-9][0-9]{0,17}$/;

/** A page of a player's deposits, newest first; those claimed out of suspense are among them. */
export async function listDeposits(
  context: Context,
  query: { by: string; cursor?: string | undefined; limit: number },
): Promise<Result<{ items: Deposit[]; nextCursor: string | null }>> {
  const { by: playerId, cursor, limit } = query;
  if (cursor !== undefined && !idPattern.test(cursor)) return reject("request_invalid", { field: "cursor" });
  const tokens = await knownTokens(context.pool);
  const rows = await readDepositsOf(context.pool, { playerId, before: cursor ?? null, limit: limit + 1 });
  const items = rows.slice(0, limit).map((row) => depositView(tokens, row));
  return accept({ items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null });
}

/** The player's own address; every player has one from the start. */
export async function readDepositAddress(
  context: Context,
  playerId: string,
): Promise<Result<{ address: string; chainId: number }>> {
  const wallet = await readDepositWallet(context.pool, playerId);
  if (wallet === null || wallet.address === null) return reject("not_found");
  return accept({ address: wallet.address, chainId: context.settings.chainId });
}

/** Every movement of a player's pool, told from the player's side. */
import type { HistoryLine } from "../contract/account.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { readPlayerHistory } from "../db/history.ts";
import type { Context } from "./context.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

const idPattern = /^[1-9][0-9]{0,17}$/;

/** A page, newest first; `cursor` is the id of the line that the page before ended with. */
export async function readHistory(
  context: Context,
  { by, cursor, limit }: { by: string; cursor?: string | undefined; limit: number },
): Promise<Result<{ items: HistoryLine[]; nextCursor: string | null }>> {
  if (cursor !== undefined && !idPattern.test(cursor)) return reject("request_invalid", { field: "cursor" });
  const tokens = await knownTokens(context.pool);
  const rows = await readPlayerHistory(context.pool, {
    playerId: by,
    before: cursor ?? null,
    limit: limit + 1,
  });
  const items = rows.slice(0, limit).map((row) => ({
    id: row.id,
    at: row.at.toISOString(),
    reason: row.reason,
    direction: directionOf(row.debit_kind, row.credit_kind),
    money: moneyOf(tokens, row.token, row.amount),
    gameId: row.game_id,
    chainTxHash: row.chain_tx_hash,
  }));
  return accept({ items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null });
}

/**
 * In and out are of the whole pool, free and locked together, so that all lines add up to its balance: a stake leaves it
 * when the game begins, and what comes of it is a line of its own.
 */
function directionOf(debitKind: string, creditKind: string): HistoryLine["direction"] {
  const [isFromPool, isToPool] = [debitKind, creditKind].map(
    (kind) => kind === "player.available" || kind === "player.held",
  );
  if (isFromPool && isToPool) return creditKind === "player.held" ? "locked" : "unlocked";
  return isToPool ? "in" : "out";
}

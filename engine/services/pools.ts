/** A player's three numbers: Free, Locked, On its way. */
import type { PoolBalance } from "../contract/account.ts";
import type { Queryable, Tx } from "../db/pool.ts";
import { type PoolRow, readPools } from "../db/pools.ts";
import type { Token } from "../db/tokens.ts";
import type { Context } from "./context.ts";
import { rooms, type Telling, tell } from "./outbox.ts";
import { listedTokens, moneyOf } from "./tokens.ts";

/** Per listed token (or only for those asked for). `withdrawable` is Free less what isn't final yet. */
export async function readPoolBalances(
  context: Context,
  db: Queryable,
  playerId: string,
  only?: string[],
): Promise<PoolBalance[]> {
  const tokens = await listedTokens(context.pool);
  const rows = await readPools(db, { playerIds: [playerId], tokens: only ?? null });
  return rows.map((row) => balanceOf(tokens, row));
}

/** One event a player with the new numbers of a token, in one statement for all of them. */
export async function balanceTellings(
  context: Context,
  tx: Tx,
  playerIds: string[],
  token: string,
): Promise<Telling[]> {
  const tokens = await listedTokens(context.pool);
  const rows = await readPools(tx, { playerIds: [...new Set(playerIds)], tokens: [token] });
  return rows.map((row) => balanceTelling(tokens, row));
}

/** The event of numbers that were read already. */
export function balanceTelling(tokens: ReadonlyMap<string, Token>, row: PoolRow): Telling {
  const balance = balanceOf(tokens, row);
  return { rooms: [rooms.player(row.player_id)], name: "pool:balance", data: { balance } };
}

/** Tells players their new numbers, within the transaction that changed them. */
export async function tellBalances(
  context: Context,
  tx: Tx,
  playerIds: string[],
  token: string,
): Promise<void> {
  await tell(tx, await balanceTellings(context, tx, playerIds, token));
}

function balanceOf(tokens: ReadonlyMap<string, Token>, row: PoolRow): PoolBalance {
  const money = (amount: bigint) => moneyOf(tokens, row.token, amount);
  return {
    free: money(row.available),
    locked: money(row.held + row.in_games),
    onItsWay: money(row.on_its_way),
    withdrawable: money(row.available > row.not_final ? row.available - row.not_final : 0n),
  };
}

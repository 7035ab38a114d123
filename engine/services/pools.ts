/** A player's three numbers: Free, Locked, On its way. */
import type { PoolBalance } from "../contract/account.ts";
import type { Queryable, Tx } from "../db/pool.ts";
import { type PoolRow, readPools } from "../db/pools.ts";
import type { Token } from "../db/tokens.ts";
import type { Context } from "./context.ts";
import { type BalanceChange, rooms, type Telling, tell } from "./outbox.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

/** Per known token (or only for those asked for). `withdrawable` is Free less what isn't final yet. */
export async function readPoolBalances(
  context: Context,
  db: Queryable,
  playerId: string,
  only?: string[],
): Promise<PoolBalance[]> {
  const tokens = await knownTokens(context.pool);
  const rows = await readPools(db, { playerIds: [playerId], tokens: only ?? null });
  return rows.map((row) => balanceOf(tokens, row));
}

/** Players' numbers of a token are others now. They are read when the event is sent, once for many changes. */
export const balanceTellings = (playerIds: string[], token: string): Telling[] =>
  [...new Set(playerIds)].map((playerId) => ({
    rooms: [rooms.player(playerId)],
    name: "pool:balance",
    data: { playerId, token },
  }));

/** Tells players that their numbers changed, within the transaction that changed them. */
export const tellBalances = (tx: Tx, playerIds: string[], token: string): Promise<void> =>
  tell(tx, balanceTellings(playerIds, token));

/** The numbers of some players and tokens as they are now, in one statement; a token that this process doesn't know is left out. */
export async function readBalancesNow(
  context: Context,
  db: Queryable,
  changes: BalanceChange[],
): Promise<(change: BalanceChange) => PoolBalance | null> {
  const tokens = await knownTokens(context.pool);
  const rows = await readPools(db, {
    playerIds: [...new Set(changes.map(({ playerId }) => playerId))],
    tokens: [...new Set(changes.map(({ token }) => token))],
  });
  const balances = new Map(rows.map((row) => [`${row.player_id} ${row.token}`, balanceOf(tokens, row)]));
  return ({ playerId, token }) => balances.get(`${playerId} ${token}`) ?? null;
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

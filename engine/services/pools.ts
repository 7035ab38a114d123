/** A player's three numbers: Free, Locked, On its way. */
import type { PoolBalance } from "../contract/account.ts";
import { readPlayerBalances } from "../db/ledger.ts";
import type { Queryable, Tx } from "../db/pool.ts";
import { readOnItsWay } from "../db/pools.ts";
import type { Context } from "./context.ts";
import { rooms, tell } from "./outbox.ts";
import { listedTokens, moneyOf } from "./tokens.ts";

/** Per listed token (or only for those asked for). `withdrawable` is Free less what isn't final yet. */
export async function readPoolBalances(
  context: Context,
  db: Queryable,
  playerId: string,
  only?: string[],
): Promise<PoolBalance[]> {
  const tokens = await listedTokens(context.pool);
  const balances = await readPlayerBalances(db, playerId, only);
  const onItsWay = await readOnItsWay(db, playerId);
  return balances.map(({ token, available, held, notFinal }) => ({
    free: moneyOf(tokens, token, available),
    locked: moneyOf(tokens, token, held + (onItsWay.get(token)?.inGames ?? 0n)),
    onItsWay: moneyOf(tokens, token, onItsWay.get(token)?.amount ?? 0n),
    withdrawable: moneyOf(tokens, token, available > notFinal ? available - notFinal : 0n),
  }));
}

/** Tells players their new numbers, within the transaction that changed them. */
export async function tellBalances(
  context: Context,
  tx: Tx,
  playerIds: string[],
  token: string,
): Promise<void> {
  for (const playerId of new Set(playerIds)) {
    const [balance] = await readPoolBalances(context, tx, playerId, [token]);
    if (balance !== undefined)
      await tell(tx, [{ rooms: [rooms.player(playerId)], name: "pool:balance", data: { balance } }]);
  }
}

/** Tells players of their deposits and of what these did to their pools. */
import type { Deposit } from "../contract/account.ts";
import type { DepositRow } from "../db/deposits.ts";
import type { Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { depositView, viewDeposits } from "./deposit-view.ts";
import { rooms, type Telling, tell } from "./outbox.ts";
import { balanceTellings } from "./pools.ts";
import { knownTokens } from "./tokens.ts";

/** As they are in the database. */
export async function tellDeposits(context: Context, tx: Tx, depositIds: string[]): Promise<void> {
  if (depositIds.length > 0) await tell(tx, tellingsOf(await viewDeposits(context, tx, depositIds)));
}

/** What there is to tell of those that are being credited, without reading them again. */
export async function creditedTellings(
  context: Context,
  deposits: DepositRow[],
  { safe }: { safe: bigint },
): Promise<Telling[]> {
  const tokens = await knownTokens(context.pool);
  const views = deposits.flatMap((row) => {
    const { player_id: playerId, block_number: blockNumber } = row;
    const now = { ...row, state: "playable" as const, posted: blockNumber <= safe };
    return playerId === null ? [] : [{ playerId, deposit: depositView(tokens, now) }];
  });
  return tellingsOf(views);
}

function tellingsOf(views: { playerId: string; deposit: Deposit }[]): Telling[] {
  const touched = new Map<string, { playerId: string; token: string }>();
  for (const { playerId, deposit } of views)
    touched.set(`${playerId} ${deposit.money.token}`, { playerId, token: deposit.money.token });
  return [
    ...views.map(({ playerId, deposit }) => ({
      rooms: [rooms.player(playerId)],
      name: "deposit:update" as const,
      data: { deposit },
    })),
    ...[...touched.values()].flatMap(({ playerId, token }) => balanceTellings([playerId], token)),
  ];
}

/** Tells players of their deposits and of what these did to their pools. */
import type { Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { viewDeposits } from "./deposit-list.ts";
import { rooms, tell } from "./outbox.ts";
import { tellBalances } from "./pools.ts";

export async function tellDeposits(context: Context, tx: Tx, depositIds: string[]): Promise<void> {
  if (depositIds.length === 0) return;
  const views = await viewDeposits(context, tx, depositIds);
  await tell(
    tx,
    views.map(({ playerId, deposit }) => ({
      rooms: [rooms.player(playerId)],
      name: "deposit:update" as const,
      data: { deposit },
    })),
  );
  const touched = new Map<string, { playerId: string; token: string }>();
  for (const { playerId, deposit } of views)
    touched.set(`${playerId} ${deposit.money.token}`, { playerId, token: deposit.money.token });
  for (const { playerId, token } of touched.values()) await tellBalances(tx, [playerId], token);
}

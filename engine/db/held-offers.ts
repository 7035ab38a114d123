import { columnOf, text } from "./decode.ts";
import type { Tx } from "./pool.ts";

/** The open offers that hold a player's money of a token, the youngest first, locked. Answers their ids. */
export async function lockHoldingOffers(
  tx: Tx,
  { playerId, token }: { playerId: string; token: string },
): Promise<string[]> {
  const { rows } = await tx.query(
    `SELECT id FROM proposal WHERE proposer_id = $1 AND token = $2 AND state = 'pending'
     ORDER BY created_at DESC, id FOR UPDATE`,
    [playerId, token],
  );
  return columnOf(text, rows);
}

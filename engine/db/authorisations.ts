/** Which code our wallets have signed to run (EIP-7702). */
import { firstCellOf, text } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/** The executor that a wallet's last authorisation is for, whether it is mined yet or not; null when there is none. */
export async function readAuthorisedExecutor(db: Queryable, walletId: string): Promise<string | null> {
  const { rows } = await db.query(
    "SELECT executor FROM authorisation WHERE wallet_id = $1 ORDER BY nonce DESC LIMIT 1",
    [walletId],
  );
  return firstCellOf(text, rows);
}

/** Which code our wallets have signed to run (EIP-7702). */
import { cellOf, text } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/** The executor that the wallet with the id in this column has authorised last, whether it is mined yet or not. */
export const authorisedBy = (walletId: string): string =>
  `(SELECT executor FROM authorisation WHERE authorisation.wallet_id = ${walletId} ORDER BY authorisation.nonce DESC LIMIT 1)`;

/** The executor that a wallet's last authorisation is for, whether it is mined yet or not; null when there is none. */
export async function readAuthorisedExecutor(db: Queryable, walletId: string): Promise<string | null> {
  const { rows } = await db.query(`SELECT ${authorisedBy("$1")} AS executor`, [walletId]);
  return cellOf(text.nullable(), rows);
}

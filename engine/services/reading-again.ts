/** Balances that don't know yet what was withdrawn since a backup, and what must wait for them. */
import { accept, type Result, reject } from "../contract/problems.ts";
import type { Tx } from "../db/pool.ts";
import { isReadingAgain } from "../db/recovery.ts";

/**
 * Lets through what takes money that may have left since: not while a recovery stands and the chain isn't read up to where
 * it was found. Else the same money is spent here, and its transfer there is one that nothing explains.
 * @returns `switched_off`
 */
export async function requireKnownBalances(tx: Tx): Promise<Result<null>> {
  if (!(await isReadingAgain(tx))) return accept(null);
  return reject("switched_off", {
    message:
      "The chain is being read again, to know what is still here. Your money is safe; try again later.",
  });
}

import { setTimeout as delay } from "node:timers/promises";
import { type Hash, TransactionReceiptNotFoundError } from "viem";

const giveUpAfterMs = 60_000;
const lookEveryMs = 10;

/**
 * The receipt of a transaction, asked for until it is there. The library's own wait looks again only at a new block, and
 * waits for ever on a chain that makes blocks on demand when the node tells the block's number before its receipts.
 *
 * @throws when it isn't mined within a minute
 */
export async function minedReceipt<Receipt>(
  reader: { getTransactionReceipt(transaction: { hash: Hash }): Promise<Receipt> },
  hash: Hash,
): Promise<Receipt> {
  const giveUpAtMs = performance.now() + giveUpAfterMs;
  while (performance.now() < giveUpAtMs) {
    try {
      return await reader.getTransactionReceipt({ hash });
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error;
      await delay(lookEveryMs);
    }
  }
  throw new Error(`The transaction ${hash} wasn't mined in ${giveUpAfterMs / 1_000} s`);
}

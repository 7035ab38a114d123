/** Finds out what the blocks' logs don't say: failed transactions, and gas top-ups. */
import { type ReceiptAnswer, readAgreedReceipt } from "../chain/receipts.ts";
import { lockCursor } from "../db/cursor.ts";
import { type Tx, transaction } from "../db/pool.ts";
import { markMined, markReverted, readWaiting, type WaitingAttempt } from "../db/sending.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { listedTokens } from "./tokens.ts";

const mostAtOnce = 1_000;
const readTogether = 20;

/**
 * Reads the receipts of attempts that have been out for a moment. Nothing follows from silence, and nothing from the word
 * of one provider where two are configured: a payout that was said to have failed would be paid again.
 */
export async function confirmRound(context: Context): Promise<boolean> {
  const sentBefore = new Date(context.clock() - context.settings.confirmAfterMs);
  const waiting = await readWaiting(context.pool, { sentBefore, limit: mostAtOnce });
  if (waiting.length === 0) return false;
  const tokens = [...(await listedTokens(context.pool)).keys()];
  let found = 0;
  for (let at = 0; at < waiting.length; at += readTogether) {
    const part = waiting.slice(at, at + readTogether);
    const receipts = await Promise.all(
      part.map(({ hash }) => readAgreedReceipt(context.chain, hash, tokens)),
    );
    for (const [index, attempt] of part.entries()) {
      const receipt = receipts[index];
      if (receipt === undefined || !("found" in receipt) || !receipt.found) continue;
      if (await confirm(context, attempt, receipt)) found += 1;
    }
  }
  return found > 0;
}

async function confirm(
  context: Context,
  attempt: WaitingAttempt,
  receipt: Extract<ReceiptAnswer, { found: true }>,
): Promise<boolean> {
  const { succeeded, blockNumber } = receipt;
  const didIt =
    succeeded &&
    (attempt.token === null ||
      receipt.transfers.some(
        (log) =>
          log.token === attempt.token &&
          log.from === attempt.wallet_address &&
          log.to === attempt.destination &&
          log.amount === attempt.amount,
      ));
  const moved = await transaction(context.pool, async (tx) => {
    // With the cursor locked no reorg is handled meanwhile; a block beyond it is told by the follower soon.
    const cursor = await lockCursor(tx);
    if (cursor === null || blockNumber > cursor.head_number) return [];
    if (didIt) {
      const mined = { chainTxId: attempt.chain_tx_id, hash: attempt.hash, blockNumber };
      return told(context, tx, await markMined(tx, [mined]));
    }
    if (blockNumber > cursor.finalized_number) return [];
    const note = succeeded
      ? "the transaction succeeded without the transfer that it was sent for"
      : "the token refused the transfer on the chain";
    context.log.error({ hash: attempt.hash, instructionId: attempt.instruction_id }, note);
    const reverted = { chainTxId: attempt.chain_tx_id, hash: attempt.hash, blockNumber, note };
    return told(context, tx, await markReverted(tx, reverted));
  });
  if (moved.length === 0) return false;
  context.nudge();
  return true;
}

async function told(context: Context, tx: Tx, instructionIds: string[]): Promise<string[]> {
  await tellInstructions(context, tx, instructionIds);
  return instructionIds;
}

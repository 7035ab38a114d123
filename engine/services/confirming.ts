/** Finds out what the blocks' logs don't say: failed transactions, and those that move no tokens. */
import { delegationTo } from "../../wallets/executor.ts";
import { isOtherCode } from "../chain/balances.ts";
import { type FoundReceipt, readAgreedReceipt } from "../chain/receipts.ts";
import type { TransferLog } from "../chain/types.ts";
import { readAuthorisedExecutor } from "../db/authorisations.ts";
import { insertBreachOnce } from "../db/breaches.ts";
import { markMined, markReverted, readWaiting } from "../db/confirming.ts";
import { isInBooks, lockCursor, readCursor } from "../db/cursor.ts";
import { isAway } from "../db/errors.ts";
import { type Payment, readPayments } from "../db/payments.ts";
import { type Tx, transaction } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { raiseForeignNonce } from "./foreign-nonces.ts";
import { tellInstructions } from "./instruction-events.ts";
import { countPaid } from "./paid.ts";
import { knownTokens } from "./tokens.ts";

const mostAtOnce = 1_000;
const readTogether = 20;

interface Attempt {
  chainTxId: string;
  hash: string;
  payments: Payment[];
}

/**
 * Reads the receipts of attempts that have been out for a moment. Nothing follows from silence, and nothing from the word
 * of one provider where two are configured: a payout that was said to have failed would be paid again.
 */
export async function confirmRound(context: Context): Promise<boolean> {
  const sentBefore = new Date(context.clock() - context.settings.confirmAfterMs);
  const waiting = await readWaiting(context.pool, { sentBefore, limit: mostAtOnce });
  if (waiting.length === 0) return false;
  // Before the receipts: what becomes final later may be another block than the one that a receipt is of.
  const cursor = await readCursor(context.pool);
  if (cursor === null) return false;
  const finalized = cursor.finalized_number;
  const tokens = [...(await knownTokens(context.pool)).keys()];
  let found = 0;
  for (let at = 0; at < waiting.length; at += readTogether) {
    const part = waiting.slice(at, at + readTogether);
    const receipts = await Promise.all(
      part.map(({ hash }) => readAgreedReceipt(context.chain, hash, tokens)),
    );
    const payments = await readPayments(
      context.pool,
      part.map((row) => row.chain_tx_id),
    );
    for (const [index, { chain_tx_id: chainTxId, hash }] of part.entries()) {
      const receipt = receipts[index];
      if (receipt === undefined || !("found" in receipt) || !receipt.found) continue;
      const attempt = { chainTxId, hash, payments: payments.get(chainTxId) ?? [] };
      try {
        if (await confirm(context, { attempt, receipt, finalized })) found += 1;
      } catch (error) {
        if (isAway(error)) throw error;
        context.log.error({ error, hash, chainTxId }, "a transaction couldn't be confirmed");
      }
    }
  }
  return found > 0;
}

/** `finalized` is as it was before the receipt was asked for. */
async function confirm(
  context: Context,
  { attempt, receipt, finalized }: { attempt: Attempt; receipt: FoundReceipt; finalized: bigint },
): Promise<boolean> {
  const { chainTxId, hash, payments } = attempt;
  const { succeeded, blockNumber } = receipt;
  const paid = succeeded ? countPaid(payments, receipt.transfers) : 0;
  const isOurs = ({ from }: TransferLog): boolean => payments.some(({ source }) => source === from);
  context.reached("found");
  const moved = await transaction(context.pool, async (tx) => {
    // With the cursor locked no reorg is handled meanwhile; a block beyond it is told by the follower soon.
    const cursor = await lockCursor(tx);
    if (cursor === null || blockNumber > cursor.head_number) return [];
    // A receipt that was read before a reorg is of a block that the books have taken back since: it is asked for anew.
    if (blockNumber > finalized && !(await isInBooks(tx, receipt))) return [];
    if (succeeded && paid === payments.length)
      return told(context, tx, await markMined(tx, [{ chainTxId, hash, blockNumber }]));
    if (blockNumber > finalized) return [];
    const note = succeeded
      ? "the transaction succeeded without the transfer that it was sent for"
      : "the token refused the transfer on the chain";
    context.log.error(
      { hash, instructionIds: payments.map((payment) => payment.instruction_id), paid },
      note,
    );
    if (succeeded && receipt.transfers.some(isOurs)) {
      // Something has moved, and not what was owed: nothing of it may be paid again before a person has looked.
      const detail = `${paid} of ${payments.length} payments of ${hash} are on the chain as they were owed`;
      await insertBreachOnce(tx, { invariant: "batch in part", detail });
      return [];
    }
    return told(context, tx, await markReverted(tx, { chainTxId, hash, blockNumber, note }));
  });
  if (moved.length === 0) return false;
  if (succeeded && paid < payments.length) await checkDelegation(context, payments);
  context.nudge();
  return true;
}

/** A batch that did nothing was sent to a wallet that doesn't run the executor: its authorisation's nonce was spent before. */
async function checkDelegation(context: Context, payments: Payment[]): Promise<void> {
  const [first] = payments;
  const executor = first === undefined ? null : await readAuthorisedExecutor(context.pool, first.source_id);
  if (first === undefined || executor === null) return;
  const expected = { address: first.source, code: delegationTo(executor) };
  if (!(await isOtherCode(context.chain, expected))) return;
  await raiseForeignNonce(
    context,
    first.source_id,
    `wallet ${first.source} was to authorise the executor with a nonce that something else has spent`,
  );
}

async function told(context: Context, tx: Tx, instructionIds: string[]): Promise<string[]> {
  await tellInstructions(context, tx, instructionIds);
  return instructionIds;
}

/** Finds out what the blocks' logs don't say: failed transactions, gas top-ups, and nonces spent by somebody else. */
import { readNonce } from "../chain/balances.ts";
import { type ReceiptAnswer, readReceipt } from "../chain/receipts.ts";
import { insertBreach } from "../db/breaches.ts";
import { lockCursor, readCursor } from "../db/cursor.ts";
import { transaction } from "../db/pool.ts";
import {
  freezeWallet,
  markMined,
  markReverted,
  readActiveWallets,
  readWaiting,
  type WaitingAttempt,
} from "../db/sending.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { listedTokens } from "./tokens.ts";

const mostAtOnce = 200;
const walletsAtOnce = 50;

/** Reads the receipts of attempts that have been out for a moment. Nothing follows from silence. */
export async function confirmRound(context: Context): Promise<boolean> {
  const sentBefore = new Date(context.clock() - context.settings.confirmAfterMs);
  const waiting = await readWaiting(context.pool, { sentBefore, limit: mostAtOnce });
  if (waiting.length === 0) return false;
  const tokens = [...(await listedTokens(context.pool)).keys()];
  let found = 0;
  for (const attempt of waiting) {
    const receipt = await readReceipt(context.chain, attempt.hash, tokens);
    if ("found" in receipt && receipt.found && (await confirm(context, attempt, receipt))) found += 1;
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
    if (didIt) return markMined(tx, [{ chainTxId: attempt.chain_tx_id, hash: attempt.hash, blockNumber }]);
    if (blockNumber > cursor.finalized_number) return [];
    const note = succeeded
      ? "the transaction succeeded without the transfer that it was sent for"
      : "the token refused the transfer on the chain";
    context.log.error({ hash: attempt.hash, instructionId: attempt.instruction_id }, note);
    return markReverted(tx, { chainTxId: attempt.chain_tx_id, hash: attempt.hash, blockNumber, note });
  });
  if (moved.length === 0) return false;
  await transaction(context.pool, (tx) => tellInstructions(context, tx, moved));
  context.nudge();
  return true;
}

/** A final nonce beyond ours means that somebody else signs for this wallet: it is frozen, and everything that leaves waits. */
export async function checkNonces(context: Context): Promise<void> {
  const cursor = await readCursor(context.pool);
  if (cursor === null) return;
  for (const wallet of await readActiveWallets(context.pool, walletsAtOnce)) {
    const nonce = await readNonce(context.chain, wallet.address, "latest");
    if (nonce <= wallet.next_nonce) continue;
    const detail = `wallet ${wallet.address} has sent ${nonce} transactions, ${wallet.next_nonce} of them ours`;
    context.log.fatal(detail);
    await transaction(context.pool, async (tx) => {
      await freezeWallet(tx, { walletId: wallet.id, reason: detail });
      await insertBreach(tx, { invariant: "foreign nonce", detail });
    });
  }
}

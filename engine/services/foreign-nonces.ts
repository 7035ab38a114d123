/** Nonces of our wallets that somebody else has spent: whoever can do that holds our keys. */
import { readAgreedNonces, readNonce } from "../chain/balances.ts";
import { readReceipt } from "../chain/receipts.ts";
import { insertBreach } from "../db/breaches.ts";
import { readCursor } from "../db/cursor.ts";
import { readActiveWallets, readNextNonce, readOutstanding } from "../db/nonces.ts";
import { transaction } from "../db/pool.ts";
import { readRecovery } from "../db/recovery.ts";
import { freezeWallet } from "../db/wallets.ts";
import type { Context } from "./context.ts";

const walletsAtOnce = 50;

interface SpendingWallet {
  id: string;
  address: string;
  nextNonce: bigint;
}

/**
 * Whether the chain knows of no more transactions of a wallet than we do. If as many providers as must agree say that it
 * does, the wallet is frozen and everything that leaves waits: that is also what an old copy of the database looks like,
 * which would pay again. While they differ, nothing is frozen and nothing sent.
 */
export async function areNoncesOurs(context: Context, wallet: SpendingWallet): Promise<boolean> {
  const spent = await readNonce(context.chain, wallet.address, "latest");
  if (spent <= wallet.nextNonce) return true;
  const told = await readAgreedNonces(context.chain, wallet.address, "latest");
  // What we knew was read before the chain was asked, and another may have sent meanwhile.
  const nextNonce = await readNextNonce(context.pool, wallet.id);
  if (told !== null && told.atMost <= nextNonce) return true;
  if (told !== null && told.atLeast > nextNonce) {
    await raiseForeignNonce(
      context,
      wallet.id,
      `wallet ${wallet.address} has sent ${told.atLeast} transactions, ${nextNonce} of them ours`,
    );
    return false;
  }
  context.log.warn(
    { wallet: wallet.address, spent: spent.toString() },
    "the providers don't agree on the nonce of a wallet: its payouts wait",
  );
  return false;
}

/** Looks at the wallets that were used last, and at nonces of ours that are used up by none of our transactions. */
export async function checkNonces(context: Context): Promise<void> {
  if ((await readCursor(context.pool)) === null) return;
  // Then the chain is ahead of the books, and each nonce is looked for by itself.
  if ((await readRecovery(context.pool)) !== null) return;
  for (const { id, address, next_nonce: nextNonce } of await readActiveWallets(context.pool, walletsAtOnce))
    await areNoncesOurs(context, { id, address, nextNonce });
  await checkOutstanding(context);
}

async function checkOutstanding(context: Context): Promise<void> {
  const sentBefore = new Date(context.clock() - context.settings.resendAfterMs);
  for (const { wallet_id: walletId, address, nonce, hashes } of await readOutstanding(context.pool, {
    sentBefore,
    limit: walletsAtOnce,
  })) {
    const final = await readAgreedNonces(context.chain, address, "finalized");
    if (final === null || final.atLeast <= nonce) continue;
    if (await hasReceipt(context, hashes)) continue;
    await raiseForeignNonce(
      context,
      walletId,
      `nonce ${nonce} of wallet ${address} was spent by a transaction that isn't ours`,
    );
  }
}

/** Whether one of our attempts may be in a block. Silence isn't absence, and one that is there is for the confirmer. */
export async function hasReceipt(context: Context, hashes: string[]): Promise<boolean> {
  const receipts = await Promise.all(hashes.map((hash) => readReceipt(context.chain, hash, [])));
  return receipts.some((receipt) => !("found" in receipt) || receipt.found);
}

/** Freezes the wallet and stops what leaves. */
export async function raiseForeignNonce(context: Context, walletId: string, detail: string): Promise<void> {
  context.log.fatal(detail);
  await transaction(context.pool, async (tx) => {
    await freezeWallet(tx, { walletId, reason: detail });
    await insertBreach(tx, { invariant: "foreign nonce", detail });
  });
}

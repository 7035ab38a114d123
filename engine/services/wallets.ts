/** Issuing custody wallets: the row is committed before the address is derived, and the address before it is shown. */

import { transaction } from "../db/pool.ts";
import {
  countSpareWallets,
  readSingleWallet,
  readUnaddressedWallets,
  reserveWallet,
  setWalletAddress,
  type WalletPurpose,
  type WalletRow,
} from "../db/wallets.ts";
import type { Context } from "./context.ts";

async function address(context: Context, wallet: WalletRow): Promise<string> {
  const derived = await context.signer.addressOf({ purpose: wallet.purpose, index: wallet.derivation_index });
  await setWalletAddress(context.pool, { id: wallet.id, address: derived });
  return derived;
}

/** A new wallet without an owner. */
async function issueWallet(context: Context, purpose: WalletPurpose): Promise<void> {
  const wallet = await transaction(context.pool, (tx) => reserveWallet(tx, purpose));
  await address(context, wallet);
}

/** Makes sure that at least `wanted` wallets wait for an owner, so that a claim inside a transaction needs no key. */
export async function ensureSpareWallets(
  context: Context,
  purpose: "deposit" | "escrow",
  wanted = 1,
): Promise<void> {
  for (let spare = await countSpareWallets(context.pool, purpose); spare < wanted; spare += 1) {
    await issueWallet(context, purpose);
  }
}

/**
 * At start: finishes wallets that a dead process left without an address, and makes the vault and the gas wallet. The
 * vault's stored address must be the one that this seed derives; otherwise the seed is another one and it throws.
 */
export async function prepareWallets(context: Context): Promise<{ vault: string; gas: string }> {
  for (const wallet of await readUnaddressedWallets(context.pool)) await address(context, wallet);
  const single = async (purpose: "vault" | "gas"): Promise<string> => {
    let wallet = await readSingleWallet(context.pool, purpose);
    if (wallet === null) {
      // Two processes may start at once: the unique index lets one of them through.
      await issueWallet(context, purpose).catch(() => undefined);
      wallet = await readSingleWallet(context.pool, purpose);
    }
    if (wallet === null) throw new Error(`the ${purpose} wallet can't be made`);
    return address(context, wallet);
  };
  return { vault: await single("vault"), gas: await single("gas") };
}

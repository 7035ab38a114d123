/** Issuing custody wallets: the row is committed before the address is derived, and the address before it is shown. */

import { setTimeout as delay } from "node:timers/promises";
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
import { awaitMade } from "./awaiting.ts";
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
  if (!context.signer.holdsKeys) return waitForSpareWallets(context, purpose, wanted);
  for (let spare = await countSpareWallets(context.pool, purpose); spare < wanted; spare += 1) {
    await issueWallet(context, purpose);
  }
}

/**
 * For whoever found none: one more. Each makes its own, so there are as many as wait, whoever takes which; those that
 * are claimed and not yet committed look as if they were still there, which is why they aren't counted.
 * @throws KeysAwayError where the keys are in another process and it makes none in time
 */
export async function addSpareWallet(context: Context, purpose: "deposit" | "escrow"): Promise<void> {
  if (context.signer.holdsKeys) return issueWallet(context, purpose);
  await countSoon(context, purpose);
  await waitForSpareWallets(context, purpose, 1);
}

const waitForWalletsMs = 5_000;
const lookForWalletsMs = 100;

/** Who waits for the same wallets: they share one look. `pool` is the key, as for everything a process remembers. */
const looks = new WeakMap<object, Map<string, Promise<number>>>();

/** How many wallets wait for an owner, looked at in a moment, together with everybody who asks until then. */
function countSoon({ pool }: Context, purpose: "deposit" | "escrow"): Promise<number> {
  const known = looks.get(pool) ?? new Map<string, Promise<number>>();
  looks.set(pool, known);
  const look =
    known.get(purpose) ??
    delay(lookForWalletsMs).then(() => {
      known.delete(purpose);
      return countSpareWallets(pool, purpose);
    });
  known.set(purpose, look);
  return look;
}

/** The process that holds the keys makes them. @throws KeysAwayError when it doesn't in time */
async function waitForSpareWallets(
  context: Context,
  purpose: "deposit" | "escrow",
  wanted: number,
): Promise<void> {
  const giveUpAtMs = performance.now() + waitForWalletsMs;
  for (let spare = await countSpareWallets(context.pool, purpose); spare < wanted; ) {
    if (performance.now() > giveUpAtMs) throw new KeysAwayError(`no ${purpose} wallet is left`);
    spare = await countSoon(context, purpose);
  }
}

/** What needs a new wallet must wait: the process that holds the keys is away. */
export class KeysAwayError extends Error {
  override readonly name = "KeysAwayError";
}

/** At the start of a process without keys: the vault and the gas wallet, once they are made. */
export function awaitWallets({
  pool,
  signal,
}: {
  pool: Context["pool"];
  signal: AbortSignal;
}): Promise<{ vault: string; gas: string }> {
  const look = async (): Promise<{ vault: string; gas: string } | null> => {
    const [vault, gas] = [await readSingleWallet(pool, "vault"), await readSingleWallet(pool, "gas")];
    return vault?.address == null || gas?.address == null ? null : { vault: vault.address, gas: gas.address };
  };
  const otherwise = "There is no vault yet: start a process with ROLE=chain, which holds the keys.";
  return awaitMade(look, { signal, otherwise });
}

/** Derives every address that is missing. */
export async function addressWallets(context: Context): Promise<void> {
  for (;;) {
    const wallets = await readUnaddressedWallets(context.pool);
    if (wallets.length === 0) return;
    for (const wallet of wallets) await address(context, wallet);
  }
}

/**
 * At start: finishes wallets that a dead process left without an address, and makes the vault and the gas wallet. The
 * vault's stored address must be the one that this seed derives; otherwise the seed is another one and it throws.
 */
export async function prepareWallets(context: Context): Promise<{ vault: string; gas: string }> {
  await addressWallets(context);
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

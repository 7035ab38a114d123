/** Signing in, and linking one more wallet: a challenge is used up, its signature checked, and then something changes. */

import { recoverLocally, verifySignatureOnChain } from "../chain/signatures.ts";
import type { Me } from "../contract/account.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { insertPlayerWallet, readPlayerByAddress } from "../db/players.ts";
import { findWallets } from "../db/wallets.ts";
import { takeChallenge } from "./challenges.ts";
import type { Context } from "./context.ts";
import { createPlayer } from "./new-player.ts";
import { readMe } from "./players.ts";
import { beginSession, endSessionOf } from "./sessions.ts";
import { claimSuspenseOf } from "./suspense.ts";
import { change } from "./transaction.ts";
import { wellKnownFactories } from "./wallet-factories.ts";
import { addSpareWallet } from "./wallets.ts";

export interface SignedChallenge {
  message: string;
  /** 0x and hex; 65 bytes of an ordinary wallet, or whatever a smart wallet makes. */
  signature: string;
  /** What the browser's cookie holds. */
  browserSecret: string | null;
}

const refusal = () =>
  reject("sign_in_refused", {
    message: "This signature doesn't answer a message of ours. Ask for a new one.",
  });

/**
 * Whose signature this is: the address (lower case) that the challenge was issued for. The challenge is gone in any
 * case. Ordinary signatures are recovered here; only if that isn't the address, the chain is asked about a smart wallet.
 * @returns `sign_in_refused`, or `signature_check_unavailable` when the chain doesn't answer.
 */
async function proveAddress(
  context: Context,
  signed: SignedChallenge,
  linkPlayerId: string | null,
): Promise<Result<string>> {
  const address = await takeChallenge(context, { ...signed, linkPlayerId });
  if (address === null) return refusal();
  // A wallet of ours is nobody's to sign in with, whatever its code may say.
  if ((await findWallets(context.pool, [address])).size > 0) return refusal();
  if ((await recoverLocally(signed)) === address) return accept(address);
  const knownFactories = context.settings.walletFactories ?? wellKnownFactories;
  switch (await verifySignatureOnChain(context.chain, { ...signed, address, knownFactories })) {
    case "valid":
      return accept(address);
    case "invalid":
      return refusal();
    case "unavailable":
      return reject("signature_check_unavailable");
  }
}

const createTries = 10;

/**
 * Signs in, and makes the player when the address is new: deposits from it that nobody could be credited for become
 * the player's then. The browser's former session ends in the same commit.
 * @returns who is signed in, and the secret of the new session for the cookie.
 */
export async function signIn(
  context: Context,
  input: SignedChallenge & { cookieHeader: string | undefined },
): Promise<Result<{ me: Me; sessionSecret: string }>> {
  const proven = await proveAddress(context, input, null);
  if (!proven.ok) return proven;
  const address = proven.value;
  for (let tried = 0; tried < createTries; tried += 1) {
    let wantsWallet = false;
    const result = await change(context, async (tx) => {
      const known = await readPlayerByAddress(tx, address);
      const player = known === null ? await createPlayer(context, tx, address) : { playerId: known.id };
      wantsWallet = player === "no_wallet";
      if (typeof player === "string") return reject("overloaded");
      if (known === null) await claimSuspenseOf(context, tx, { playerId: player.playerId, address });
      await endSessionOf(context, tx, input.cookieHeader);
      const sessionSecret = await beginSession(context, tx, { playerId: player.playerId, address });
      return accept({ me: await readMe(context, tx, player.playerId), sessionSecret });
    });
    if (result.ok || result.rejection.code !== "overloaded") return result;
    // Outside of the transaction: a custody address is derived only from a committed row.
    if (wantsWallet) await addSpareWallet(context, "deposit");
  }
  return reject("overloaded");
}

/**
 * Links one more wallet to a player who is signed in, by the wallet's own signature. Deposits from it that nobody could
 * be credited for become the player's.
 * @returns `wallet_taken` when it is another player's.
 */
export async function linkWallet(
  context: Context,
  input: SignedChallenge & { playerId: string },
): Promise<Result<Me>> {
  const proven = await proveAddress(context, input, input.playerId);
  if (!proven.ok) return proven;
  const address = proven.value;
  return change(context, async (tx) => {
    const verifiedAt = new Date(context.clock());
    if (!(await insertPlayerWallet(tx, { playerId: input.playerId, address, verifiedAt }))) {
      const owner = await readPlayerByAddress(tx, address);
      if (owner?.id !== input.playerId) return reject("wallet_taken");
    }
    await claimSuspenseOf(context, tx, { playerId: input.playerId, address });
    return accept(await readMe(context, tx, input.playerId));
  });
}

/**
 * Where each wallet lives under the seed. The seed and the (purpose, index) pairs that the database keeps are
 * together enough to restore every address ever issued: nothing here may ever change meaning.
 */
import type { HDNodeWallet, SigningKey } from "ethers";
import { type Seed, unlockSeed } from "./seed.ts";

/** What a wallet is for. */
export type WalletPurpose = "vault" | "gas" | "deposit" | "escrow";

/** One of our wallets. `index` counts from 0 within its purpose, up to {@link maximumIndex}. */
export interface WalletRef {
  purpose: WalletPurpose;
  index: number;
}

/**
 * The hardened account number of each purpose. It starts at 1, because account 0 is what ordinary wallet software
 * derives from a seed: an address of ours is never one that an import shows by accident. New purposes take new
 * numbers; a number is never used again.
 */
const accountOf: Readonly<Record<WalletPurpose, number>> = { vault: 1, gas: 2, deposit: 3, escrow: 4 };

export const walletPurposes = [
  "vault",
  "gas",
  "deposit",
  "escrow",
] as const satisfies readonly WalletPurpose[];

/** BIP-32 leaves 31 bits for a hardened index. */
export const maximumIndex = 2 ** 31 - 1;

/**
 * The BIP-32 path of a wallet, `m/44'/60'/<purpose>'/0'/<index>'`. Every step is hardened, so that one leaked child
 * key, even beside a parent's public key, reveals neither the parent nor a sibling.
 * @throws RangeError when the purpose is unknown or the index isn't a whole number from 0 to {@link maximumIndex}
 */
export function walletPath(wallet: WalletRef): string {
  if (!Object.hasOwn(accountOf, wallet.purpose)) throw new RangeError("This wallet's purpose is unknown.");
  if (!Number.isInteger(wallet.index) || wallet.index < 0 || wallet.index > maximumIndex) {
    throw new RangeError("A wallet's index is a whole number from 0 to 2^31 - 1.");
  }
  return `m/44'/60'/${accountOf[wallet.purpose]}'/0'/${wallet.index}'`;
}

/** The lower-case address of a wallet. Costs about a millisecond: the keyring keeps what was derived. */
export function deriveAddress({ seed, wallet }: { seed: Seed; wallet: WalletRef }): string {
  return deriveNode({ seed, wallet }).address.toLowerCase();
}

/** @internal */
export interface DerivedKey {
  address: string;
  signingKey: SigningKey;
}

/**
 * The key of a wallet with its lower-case address.
 * @internal for the keyring alone: whoever holds the result can sign anything
 */
export function derivePrivateKey({ seed, wallet }: { seed: Seed; wallet: WalletRef }): DerivedKey {
  const node = deriveNode({ seed, wallet });
  return { address: node.address.toLowerCase(), signingKey: node.signingKey };
}

/** The four parents, because a path from the root costs five times one step. */
const parents = new WeakMap<Seed, Map<string, HDNodeWallet>>();

function deriveNode({ seed, wallet }: { seed: Seed; wallet: WalletRef }): HDNodeWallet {
  const path = walletPath(wallet);
  const parentPath = path.slice(0, path.lastIndexOf("/"));
  const known = parents.get(seed) ?? new Map<string, HDNodeWallet>();
  parents.set(seed, known);
  const parent = known.get(parentPath) ?? unlockSeed(seed).derivePath(parentPath);
  known.set(parentPath, parent);
  return parent.derivePath(`${wallet.index}'`);
}

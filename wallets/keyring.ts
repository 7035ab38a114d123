/** The keys in use, derived once and kept within a bound. Nothing outside this directory holds one. */
import { inspect } from "node:util";
import { hashAuthorization, type Signature, type Transaction } from "ethers";
import { type DerivedKey, derivePrivateKey, type WalletRef } from "./derivation.ts";
import type { Seed } from "./seed.ts";

interface CachedKey extends DerivedKey {
  isProven: boolean;
}

/** An LRU of derived keys: deriving costs milliseconds, and the vault and the gas wallet sign all day. */
export class Keyring {
  readonly #seed: Seed;
  readonly #capacity: number;
  readonly #keys = new Map<string, CachedKey>();

  /** `capacity` is the number of keys kept, at least one. */
  constructor({ seed, capacity }: { seed: Seed; capacity: number }) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError("A keyring keeps at least one key.");
    this.#seed = seed;
    this.#capacity = capacity;
  }

  /** How many keys are held now. */
  get size(): number {
    return this.#keys.size;
  }

  /** The wallet's lower-case address. */
  addressOf(wallet: WalletRef): string {
    return this.#take(wallet).address;
  }

  /**
   * Signs a transaction in place. It takes a transaction, not a digest: no message, typed data or bare hash can be
   * signed with what this class offers.
   * @returns whether a signature of this key was once recovered to its address
   */
  signTransaction(wallet: WalletRef, transaction: Transaction): { isProven: boolean } {
    const key = this.#take(wallet);
    transaction.signature = key.signingKey.sign(transaction.unsignedHash);
    return { isProven: key.isProven };
  }

  /** Signs an EIP-7702 authorisation: the account runs that code from now on, on that chain only. */
  signAuthorization(
    wallet: WalletRef,
    authorization: { chainId: number; address: string; nonce: number },
  ): Signature {
    return this.#take(wallet).signingKey.sign(hashAuthorization(authorization));
  }

  /** Remembers that a signature of this key was recovered to its address. */
  markProven(wallet: WalletRef): void {
    this.#take(wallet).isProven = true;
  }

  #take(wallet: WalletRef): CachedKey {
    const name = `${wallet.purpose}/${wallet.index}`;
    const key = this.#keys.get(name) ?? {
      ...derivePrivateKey({ seed: this.#seed, wallet }),
      isProven: false,
    };
    // Deleted and set again, so that the map's order is the order of use and its first entry the least recent.
    this.#keys.delete(name);
    this.#keys.set(name, key);
    if (this.#keys.size > this.#capacity) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    return key;
  }

  toJSON(): string {
    return "[keyring]";
  }

  [inspect.custom](): string {
    return "[keyring]";
  }
}

/** The one secret of an environment, held so that nothing prints it, and the rule about seeds that everybody knows. */
import { inspect } from "node:util";
import { HDNodeWallet, Mnemonic } from "ethers";

/** The seed of local chains. Published on purpose: money sent to its addresses on a real chain is anybody's. */
export const developmentMnemonic =
  "movie dream scissors poem helmet bitter carbon during hole pepper office near";

/** Seeds that are printed in the manuals of common tools; bots empty their addresses within seconds. */
const publishedMnemonics = [
  developmentMnemonic,
  "test test test test test test test test test test test junk", // anvil, hardhat
  "myth like bonus scare over problem client lizard pioneer submit female collect", // ganache
  "candy maple cake sugar pudding cream honey rich smooth crumble sweet treat", // truffle
];

/** Why a seed can't be used: `malformed` isn't BIP-39, `published` is known to the world. */
export class SeedError extends Error {
  override readonly name = "SeedError";
  constructor(
    readonly code: "malformed" | "published",
    message: string,
  ) {
    super(message);
  }
}

let readNode: (seed: Seed) => HDNodeWallet;

/** A BIP-39 seed. It prints, serialises and clones as nothing; only the derivation reads it. */
export class Seed {
  readonly #node: HDNodeWallet;
  /** True for a seed that anybody can look up. */
  readonly isPublished: boolean;

  static {
    readNode = (seed) => seed.#node;
  }

  /** @throws SeedError `malformed` when the words aren't a BIP-39 mnemonic of 12 to 24 English words */
  constructor(mnemonic: string) {
    const parsed = parseMnemonic(mnemonic);
    // The node is built from the bytes, not from the phrase, so that the words don't stay in memory with it.
    this.#node = HDNodeWallet.fromSeed(parsed.computeSeed());
    this.isPublished = isPublishedEntropy(parsed.entropy);
    Object.freeze(this);
  }

  toJSON(): string {
    return "[seed]";
  }

  toString(): string {
    return "[seed]";
  }

  [inspect.custom](): string {
    return "[seed]";
  }
}

/**
 * The root node of a seed.
 * @internal for derivation alone: a class's private field opened to one module of this directory
 */
export function unlockSeed(seed: Seed): HDNodeWallet {
  return readNode(seed);
}

/**
 * Reads a mnemonic; case and spacing don't matter.
 * @internal
 * @throws SeedError `malformed`, without the words and without a cause that might carry them
 */
export function parseMnemonic(mnemonic: string): Mnemonic {
  try {
    return Mnemonic.fromPhrase(mnemonic.trim());
  } catch {
    throw new SeedError(
      "malformed",
      "The mnemonic isn't 12 to 24 English BIP-39 words with a right checksum.",
    );
  }
}

/** True for seeds in manuals and test vectors, among them every seed of one byte repeated ("abandon … about"). */
function isPublishedEntropy(entropy: string): boolean {
  const isOneByteRepeated = /^0x([0-9a-f]{2})\1+$/.test(entropy);
  return isOneByteRepeated || publishedMnemonics.some((known) => parseMnemonic(known).entropy === entropy);
}

/**
 * Keeps published seeds on local chains.
 * @throws SeedError `published` off a local chain
 */
export function assertSeedAllowed({ seed, chainIsLocal }: { seed: Seed; chainIsLocal: boolean }): void {
  if (seed.isPublished && !chainIsLocal) {
    throw new SeedError(
      "published",
      "This seed is published for development and anybody can spend from it: it works on a local chain only. Create a keystore with a seed of its own.",
    );
  }
}

/**
 * The seed at rest: a Web3 Secret Storage file (version 3, scrypt, aes-128-ctr) as ethers writes it, the mnemonic's
 * entropy encrypted beside the key under `x-ethers`. Any ethers wallet can open it, so the backup doesn't need us.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { defaultPath, encryptKeystoreJson, HDNodeWallet, hexlify, Mnemonic, randomBytes } from "ethers";
import { decryptKeystore, type KeystoreCode, KeystoreError } from "./keystore-format.ts";
import { parseMnemonic, Seed } from "./seed.ts";

export { type KeystoreCode, KeystoreError };

/** scrypt's cost for a seed that guards money: 128 MiB and about a second for each guess. */
export const defaultScryptN = 131_072;
const minimumPassphraseLength = 12;
const maximumFileBytes = 65_536;

export interface CreateKeystoreOptions {
  /** The file to be made. Its directory is made too, if it isn't there. */
  path: string;
  /** At least twelve characters, except for a published seed. */
  passphrase: string;
  /** Absent: 24 new words from the system's randomness. */
  mnemonic?: string | undefined;
  /** scrypt's cost, a power of two; below {@link defaultScryptN} only for a published seed (tests). */
  scryptN?: number | undefined;
}

/**
 * Makes the keystore, or nothing: the file appears whole, synced, readable by its owner only, and after it was opened
 * once to prove that it gives the seed back. An existing file is never touched, not even by two that create at once.
 * @returns the seed that was written
 * @throws KeystoreError `exists`, `passphrase_too_short` or `scrypt_too_weak`; SeedError `malformed`
 */
export async function createKeystore(options: CreateKeystoreOptions): Promise<Seed> {
  const mnemonic =
    options.mnemonic === undefined ? Mnemonic.fromEntropy(randomBytes(32)) : parseMnemonic(options.mnemonic);
  const seed = new Seed(mnemonic.phrase);
  assertProtected({ ...options, isPublished: seed.isPublished });
  await mkdir(dirname(options.path), { recursive: true, mode: 0o700 });
  const temporary = `${options.path}.${randomUUID()}.tmp`;
  try {
    await writeSynced(temporary, await encrypt(mnemonic, options));
    const readBack = await decryptKeystore({
      json: await readBounded(temporary),
      passphrase: options.passphrase,
    });
    if (readBack.entropy !== mnemonic.entropy) {
      throw new KeystoreError("damaged", "The keystore doesn't give its seed back; nothing was kept.");
    }
    // A link, not a rename: it fails when the name is taken, where a rename would replace a seed that holds money.
    await link(temporary, options.path);
  } catch (error) {
    throw hasErrno(error, "EEXIST")
      ? new KeystoreError("exists", `A keystore is already at ${options.path}. It was not touched.`)
      : error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(options.path));
  return seed;
}

/**
 * Opens the keystore; writes nothing, ever.
 * @throws KeystoreError `missing`, `malformed`, `without_seed`, `wrong_passphrase` or `damaged`
 */
export async function openKeystore(options: { path: string; passphrase: string }): Promise<Seed> {
  const json = await readBounded(options.path);
  return new Seed((await decryptKeystore({ json, passphrase: options.passphrase })).phrase);
}

function assertProtected(options: CreateKeystoreOptions & { isPublished: boolean }): void {
  if (options.isPublished) return;
  if (options.passphrase.length < minimumPassphraseLength) {
    throw new KeystoreError(
      "passphrase_too_short",
      `The passphrase must have at least ${minimumPassphraseLength} characters.`,
    );
  }
  if ((options.scryptN ?? defaultScryptN) < defaultScryptN) {
    throw new KeystoreError("scrypt_too_weak", `scrypt's N must be at least ${defaultScryptN}.`);
  }
}

async function encrypt(mnemonic: Mnemonic, options: CreateKeystoreOptions): Promise<string> {
  // The plain key of the file is the first account of ordinary wallets, which we never use: importing the file into a
  // wallet that ignores x-ethers exposes none of ours.
  const { address, privateKey } = HDNodeWallet.fromSeed(mnemonic.computeSeed()).derivePath(defaultPath);
  const account = {
    address,
    privateKey,
    mnemonic: { path: defaultPath, locale: "en", entropy: hexlify(mnemonic.entropy) },
  };
  return encryptKeystoreJson(account, options.passphrase, {
    scrypt: { N: options.scryptN ?? defaultScryptN, r: 8, p: 1 },
  });
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this the new name may be lost in a power cut, though the bytes are safe. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw hasErrno(error, "ENOENT")
      ? new KeystoreError("missing", `There is no keystore at ${path}.`)
      : error;
  });
  try {
    const { size } = await file.stat();
    if (size > maximumFileBytes) throw new KeystoreError("malformed", `${path} is too large for a keystore.`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

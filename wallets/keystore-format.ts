/** Reading a keystore's bytes with distrust: what is in the file may be another format, damaged, or tampered with. */
import { decryptKeystoreJson, HDNodeWallet, isError, type KeystoreAccount, Mnemonic } from "ethers";
import { z } from "zod";

/** Stable reasons of {@link KeystoreError}. */
export type KeystoreCode =
  | "exists"
  | "missing"
  | "malformed"
  | "without_seed"
  | "wrong_passphrase"
  | "damaged"
  | "passphrase_too_short"
  | "scrypt_too_weak";

/** Why a keystore wasn't made or opened. Neither message nor properties carry what was in the file. */
export class KeystoreError extends Error {
  override readonly name = "KeystoreError";
  constructor(
    readonly code: KeystoreCode,
    message: string,
  ) {
    super(message);
  }
}

/** scrypt takes 128·N·r bytes: a file that asks for more than a gibibyte is an attack on the start, not a keystore. */
const crypto = z.object({
  kdf: z.literal("scrypt"),
  kdfparams: z.object({
    n: z.int().min(2).max(1_048_576),
    r: z.int().min(1).max(8),
    p: z.int().min(1).max(8),
  }),
});
const keystoreFile = z
  .object({ version: z.literal(3), "x-ethers": z.object({ version: z.literal("0.1") }).optional() })
  .and(z.union([z.object({ Crypto: crypto }), z.object({ crypto })]));

/**
 * Decrypts and proves the mnemonic. The file's checksum covers the plain key only, so the mnemonic's entropy could be
 * damaged unnoticed and give other addresses than the ones issued; it must therefore derive exactly that plain key.
 * @throws KeystoreError `malformed`, `without_seed`, `wrong_passphrase` or `damaged`
 */
export async function decryptKeystore(options: { json: string; passphrase: string }): Promise<Mnemonic> {
  assertKeystore(options.json);
  const account = await decrypt(options);
  try {
    const mnemonic = Mnemonic.fromEntropy(account.mnemonic?.entropy ?? "0x");
    const node = HDNodeWallet.fromSeed(mnemonic.computeSeed()).derivePath(account.mnemonic?.path ?? "");
    if (node.privateKey === account.privateKey) return mnemonic;
  } catch {
    // The entropy has a size no mnemonic has, or the path isn't one: damage as well.
  }
  throw new KeystoreError(
    "damaged",
    "The keystore is damaged: its mnemonic and its key don't belong together.",
  );
}

function assertKeystore(json: string): void {
  const parsed = keystoreFile.safeParse(parseJson(json));
  if (!parsed.success) throw new KeystoreError("malformed", "This isn't a version 3 keystore with scrypt.");
  if (parsed.data["x-ethers"] === undefined) {
    throw new KeystoreError("without_seed", "This keystore holds a single key, not a seed.");
  }
}

/** JSON.parse quotes its input in the error; somebody may have put the bare words into the file. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

async function decrypt(options: { json: string; passphrase: string }): Promise<KeystoreAccount> {
  try {
    return await decryptKeystoreJson(options.json, options.passphrase);
  } catch (error) {
    if (isError(error, "INVALID_ARGUMENT") && error.argument === "password") {
      throw new KeystoreError(
        "wrong_passphrase",
        "The passphrase doesn't open the keystore (or its key part is damaged). The file was not changed.",
      );
    }
    throw new KeystoreError("damaged", "The keystore is damaged and can't be decrypted.");
  }
}

/** `create-keystore FILE`: the one command that needs no books. */
import { access } from "node:fs/promises";
import { createKeystore, KeystoreError } from "../../wallets/keystore.ts";
import { PassphraseError, readPassphrase } from "../../wallets/passphrase.ts";
import { CommandError } from "./arguments.ts";

/**
 * New words, encrypted, in a file that wasn't there; the passphrase comes from where the engine takes it.
 * @throws CommandError
 */
export async function createKeystoreAt(path: string): Promise<void> {
  // Said before a passphrase is asked for; that nothing is written over is seen to when the file is made.
  if (await isThere(path)) throw new CommandError(`Something is already at ${path}. It was not touched.`);
  try {
    await createKeystore({ path, passphrase: await readPassphrase(sourceOf(process.env)) });
  } catch (error) {
    if (error instanceof KeystoreError || error instanceof PassphraseError)
      throw new CommandError(error.message);
    if (error instanceof Error && "syscall" in error)
      throw new CommandError(`The keystore can't be written: ${error.message}. Choose another place.`);
    throw error;
  }
  console.log(`A new seed is in ${path}. Copy it now, and keep its passphrase somewhere else.`);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** An empty variable counts as absent, as in the engine's configuration. */
function sourceOf(environment: NodeJS.ProcessEnv): Parameters<typeof readPassphrase>[0] {
  const [descriptor, file, passphrase] = [
    environment.KEYSTORE_PASSPHRASE_FD || undefined,
    environment.KEYSTORE_PASSPHRASE_FILE || undefined,
    environment.KEYSTORE_PASSPHRASE || undefined,
  ];
  if (descriptor === undefined && file === undefined && passphrase === undefined) {
    throw new CommandError(
      "The new keystore needs a passphrase: set KEYSTORE_PASSPHRASE_FD, KEYSTORE_PASSPHRASE_FILE or KEYSTORE_PASSPHRASE.",
    );
  }
  if (descriptor !== undefined && !/^\d{1,4}$/.test(descriptor))
    throw new CommandError("KEYSTORE_PASSPHRASE_FD is the number of an open file descriptor, such as 3.");
  return {
    descriptor: descriptor === undefined ? undefined : Number(descriptor),
    file,
    variable: passphrase === undefined ? undefined : "KEYSTORE_PASSPHRASE",
  };
}

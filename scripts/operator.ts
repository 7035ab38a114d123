/**
 * The operator's commands on the books of the running engine: `npm run operator -- help`. They work on the database that
 * DATABASE_URL names, or on the local engine's; what has to be sent on the chain is sent by the running engine.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ConfigError, readConfig } from "../engine/config.ts";
import { type Foundation, openFoundation } from "../engine/foundation.ts";
import { createKeystore, KeystoreError } from "../wallets/keystore.ts";
import { PassphraseError, readPassphrase } from "../wallets/passphrase.ts";
import { CommandError, commands, help } from "./operator/commands.ts";

async function readEnvironment(): Promise<Record<string, string | undefined>> {
  if (process.env.DATABASE_URL !== undefined) return process.env;
  const file = fileURLToPath(new URL("../.data/engine.json", import.meta.url));
  const local = await readFile(file, "utf8").catch(() => null);
  if (local === null)
    throw new CommandError("Set DATABASE_URL and BASE_RPC_URLS, or start the local engine first: npm start.");
  return JSON.parse(local) as Record<string, string>;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      as: { type: "string" },
      token: { type: "string" },
      confirm: { type: "string" },
      outcome: { type: "string" },
      reason: { type: "string" },
      "dry-run": { type: "boolean", default: false },
    },
  });
  const [name = "help", subject] = positionals;
  if (name === "create-keystore") return createKeystoreAt(subject);
  const command = commands[name];
  if (command === undefined) {
    console.log(help);
    process.exitCode = name === "help" ? 0 : 2;
    return;
  }
  let foundation: Foundation | undefined;
  try {
    foundation = await openFoundation(readConfig({ ...(await readEnvironment()), LOG_LEVEL: "error" }), {
      keys: "none",
    });
    await command(foundation.context, { ...values, subject });
  } finally {
    await foundation?.close();
  }
}

/** New words, encrypted, in a file that wasn't there; the passphrase comes from where the engine takes it. */
async function createKeystoreAt(path: string | undefined): Promise<void> {
  if (path === undefined) throw new CommandError("Name the file to make: create-keystore FILE.");
  const {
    KEYSTORE_PASSPHRASE_FD: descriptor,
    KEYSTORE_PASSPHRASE_FILE: file,
    KEYSTORE_PASSPHRASE: passphrase,
  } = process.env;
  await createKeystore({
    path,
    passphrase: await readPassphrase({
      descriptor: descriptor === undefined ? undefined : Number(descriptor),
      file,
      variable: passphrase === undefined ? undefined : "KEYSTORE_PASSPHRASE",
    }),
  });
  console.log(`A new seed is in ${path}. Copy it now, and keep its passphrase somewhere else.`);
}

main().catch((error: unknown) => {
  const isForPeople = [CommandError, ConfigError, KeystoreError, PassphraseError].some(
    (kind) => error instanceof kind,
  );
  console.error(isForPeople && error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { Mnemonic } from "ethers";
import { expect, test } from "vitest";
import { derivePrivateKey, type WalletRef } from "../../wallets/derivation.ts";
import { Keyring } from "../../wallets/keyring.ts";
import { developmentMnemonic } from "../../wallets/seed.ts";
import * as signerModule from "../../wallets/signer.ts";
import { escrow, instructionOf, makeHouse, requestOf, seed, wallets } from "./fixtures.ts";

const root = new URL("../..", import.meta.url).pathname;

const keyOf = (wallet: WalletRef): string =>
  derivePrivateKey({ seed, wallet }).signingKey.privateKey.slice(2);
const words = Mnemonic.fromPhrase(developmentMnemonic);
const secrets = [
  ...wallets.map(keyOf),
  words.entropy.slice(2),
  words.computeSeed().slice(2),
  developmentMnemonic,
  developmentMnemonic.split(" ").slice(0, 3).join(" "),
];

/** Every way in which a value ends up in a log, as one text. */
function printed(value: unknown): string {
  const texts = [inspect(value, { showHidden: true, depth: null, getters: true }), String(value)];
  texts.push(JSON.stringify(value) ?? "", JSON.stringify({ nested: [value] }));
  if (value instanceof Error)
    texts.push(value.stack ?? "", printed(value.cause ?? ""), inspect({ ...value }));
  return texts.join("\n").toLowerCase();
}

function expectNoSecret(value: unknown): void {
  const text = printed(value);
  for (const secret of secrets) expect(text.includes(secret.toLowerCase())).toBe(false);
}

test("the search finds a key when there is one", () => {
  expect(printed({ deep: { key: `0x${keyOf(escrow)}` } })).toContain(keyOf(escrow));
});

test("seed, keyring and signer print, serialise and clone as nothing, also after use", async () => {
  const house = makeHouse();
  await house.signer.sign(requestOf(house.commit(instructionOf("payout"))));
  const keyring = new Keyring({ seed, capacity: 5 });
  keyring.addressOf(escrow);
  for (const held of [seed, keyring, house.signer]) {
    expectNoSecret(held);
    expectNoSecret({ context: { held } });
    expectNoSecret(Object.entries(held));
    expect(Reflect.ownKeys(held).filter((name) => name !== "isPublished")).toEqual([]);
  }
  expectNoSecret(structuredClone(seed));
});

test("no refusal and no failure carries a secret", async () => {
  const house = makeHouse();
  const committed = house.commit(instructionOf("payout", { amount: 0n }));
  const failing = makeHouse({ readInstruction: () => Promise.reject(new Error("database away")) });
  for (const work of [
    house.signer.sign(requestOf(committed)),
    house.signer.sign(requestOf(committed, { nonce: -1 })),
    house.signer.addressOf({ purpose: "escrow", index: 1e12 }),
    failing.signer.sign(requestOf(committed)),
  ]) {
    expectNoSecret(
      await work.then(
        () => expect.unreachable(),
        (error: unknown) => error,
      ),
    );
  }
});

test("nothing is written to the console", async () => {
  const written: unknown[] = [];
  const { write } = process.stdout;
  const { write: writeError } = process.stderr;
  // The process may have something to warn of that it loaded before.
  const keep = (chunk: unknown): boolean => String(chunk).includes("Warning:") || written.push(chunk) > 0;
  process.stdout.write = keep as typeof write;
  process.stderr.write = keep as typeof writeError;
  try {
    const house = makeHouse();
    await house.signer.sign(requestOf(house.commit(instructionOf("payout"))));
    await house.signer.sign(requestOf(instructionOf("payout"))).catch(() => undefined);
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
  expect(written).toEqual([]);
});

test("a signer offers addresses, instructions and a pause: no message, typed data or bare hash", () => {
  const { signer } = makeHouse();
  const offered = Object.getOwnPropertyNames(Object.getPrototypeOf(signer));
  expect(offered.sort()).toEqual([
    "addressOf",
    "constructor",
    "holdsKeys",
    "pause",
    "resume",
    "sign",
    "signBatch",
    "toJSON",
  ]);
  expect(Object.keys(signerModule)).toEqual(["createSigner"]);
});

/** The source files under a directory of the repository. */
function sourcesOf(directory: string): string[] {
  const names = readdirSync(join(root, directory), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts")).map((name) => join(root, directory, name));
}

test("no code of the engine reaches for a key or signs by itself", () => {
  const reaching =
    /wallets\/(keyring|keyring-signer|transaction)\.ts|derivePrivateKey|unlockSeed|SigningKey|HDNodeWallet|privateKeyToAccount|mnemonicToAccount|signTypedData|signMessage\(/;
  for (const path of sourcesOf("engine")) expect(readFileSync(path, "utf8").match(reaching), path).toBeNull();
});

test("in the wallets only the keyring takes keys, and only the signer takes the keyring", () => {
  const users = (pattern: RegExp): string[] =>
    sourcesOf("wallets")
      .filter((path) => pattern.test(readFileSync(path, "utf8")))
      .map((path) => path.slice(join(root, "wallets/").length))
      .sort();
  expect(users(/import[^;]*derivePrivateKey/)).toEqual(["keyring.ts"]);
  expect(users(/import[^;]*unlockSeed/)).toEqual(["derivation.ts"]);
  expect(users(/from "\.\/keyring\.ts"/)).toEqual(["keyring-signer.ts"]);
  expect(users(/\.sign\(/)).toEqual(["keyring.ts"]);
  expect(users(/from "[^"]*(db|http|chain|services)\//)).toEqual([]);
});

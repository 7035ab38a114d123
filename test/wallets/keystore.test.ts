import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { HDNodeWallet, Mnemonic, Wallet } from "ethers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deriveAddress, walletPurposes } from "../../wallets/derivation.ts";
import { createKeystore, type KeystoreCode, KeystoreError, openKeystore } from "../../wallets/keystore.ts";
import { developmentMnemonic, type Seed } from "../../wallets/seed.ts";

const passphrase = "correct horse battery staple";
const cheap = { passphrase, mnemonic: developmentMnemonic, scryptN: 1024 };
let directory = "";
let path = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keystore-"));
  path = join(directory, "keys", "seed.json");
});
afterEach(() => rm(directory, { recursive: true }));

const addressesOf = (seed: Seed): string[] =>
  walletPurposes.map((purpose) => deriveAddress({ seed, wallet: { purpose, index: 5 } }));

async function keystoreCode(work: Promise<unknown>): Promise<KeystoreCode | "done"> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof KeystoreError) return error.code;
    throw error;
  }
}

/** Rewrites one field of the file, given as a path of names. */
async function tamper(names: string[], change: (value: unknown) => unknown): Promise<void> {
  const file = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  let part = file;
  for (const name of names.slice(0, -1)) part = part[name] as Record<string, unknown>;
  const last = names.at(-1) ?? "";
  part[last] = change(part[last]);
  await writeFile(path, JSON.stringify(file));
}

const flipFirstDigit = (hex: unknown): string => {
  const text = String(hex);
  return (text.startsWith("0") ? "1" : "0") + text.slice(1);
};

test("the backup gives every address back, in our code and in plain ethers", async () => {
  const created = await createKeystore({ path, ...cheap });
  const opened = await openKeystore({ path, passphrase });
  expect(addressesOf(opened)).toEqual(addressesOf(created));
  const foreign = await Wallet.fromEncryptedJson(await readFile(path, "utf8"), passphrase);
  expect(foreign).toBeInstanceOf(HDNodeWallet);
  expect((foreign as HDNodeWallet).mnemonic?.phrase).toBe(developmentMnemonic);
});

test("without words given, a new seed of 24 words guards the house at full strength", async () => {
  const created = await createKeystore({ path, passphrase });
  expect(created.isPublished).toBe(false);
  const file = await readFile(path, "utf8");
  expect(JSON.parse(file).Crypto.kdfparams).toMatchObject({ n: 131_072, r: 8, p: 1 });
  const foreign = (await Wallet.fromEncryptedJson(file, passphrase)) as HDNodeWallet;
  expect(foreign.mnemonic?.phrase.split(" ")).toHaveLength(24);
  expect(addressesOf(await openKeystore({ path, passphrase }))).toEqual(addressesOf(created));
});

test("the file is the owner's alone and holds no word of the seed", async () => {
  await createKeystore({ path, ...cheap });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const file = await readFile(path, "utf8");
  for (const word of developmentMnemonic.split(" ")) expect(file).not.toContain(word);
  expect(file).not.toContain(Mnemonic.fromPhrase(developmentMnemonic).entropy.slice(2));
  expect(await readdir(join(directory, "keys"))).toEqual(["seed.json"]);
});

test("a wrong passphrase opens nothing and changes nothing", async () => {
  await createKeystore({ path, ...cheap });
  const before = { bytes: await readFile(path), changed: (await stat(path)).mtimeMs };
  for (const wrong of ["", " ", `${passphrase} `, passphrase.toUpperCase(), "wrong horse"]) {
    expect(await keystoreCode(openKeystore({ path, passphrase: wrong }))).toBe("wrong_passphrase");
  }
  expect(await readFile(path)).toEqual(before.bytes);
  expect((await stat(path)).mtimeMs).toBe(before.changed);
  expect(await readdir(join(directory, "keys"))).toEqual(["seed.json"]);
});

test("an existing file is never replaced, whatever is in it", async () => {
  await createKeystore({ path, ...cheap });
  const bytes = await readFile(path);
  expect(await keystoreCode(createKeystore({ path, ...cheap }))).toBe("exists");
  expect(await readFile(path)).toEqual(bytes);
  const other = join(directory, "note.txt");
  await writeFile(other, "precious");
  expect(await keystoreCode(createKeystore({ ...cheap, path: other }))).toBe("exists");
  expect(await readFile(other, "utf8")).toBe("precious");
  expect(await readdir(directory)).toEqual(["keys", "note.txt"]);
});

test("of ten that create at once, one wins and its seed is the one on disk", async () => {
  const made = await Promise.allSettled(Array.from({ length: 10 }, () => createKeystore({ path, ...cheap })));
  expect(made.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  for (const one of made) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "exists" });
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("done");
  expect(await readdir(join(directory, "keys"))).toEqual(["seed.json"]);
});

test("a seed that guards money gets no short passphrase and no cheap scrypt", async () => {
  expect(await keystoreCode(createKeystore({ path, passphrase: "short" }))).toBe("passphrase_too_short");
  expect(await keystoreCode(createKeystore({ path, passphrase, scryptN: 1024 }))).toBe("scrypt_too_weak");
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("missing");
});

test("a damaged mnemonic is noticed instead of deriving other addresses", async () => {
  await createKeystore({ path, ...cheap });
  await tamper(["x-ethers", "mnemonicCiphertext"], flipFirstDigit);
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("damaged");
});

test("a changed path or a changed key part is noticed", async () => {
  await createKeystore({ path, ...cheap });
  const good = await readFile(path);
  await tamper(["x-ethers", "path"], () => "m/44'/60'/0'/0/1");
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("damaged");
  await writeFile(path, good);
  await tamper(["Crypto", "ciphertext"], flipFirstDigit);
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("wrong_passphrase");
  await writeFile(path, good);
  await tamper(["address"], flipFirstDigit);
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("damaged");
});

test("a file that would eat all memory, or isn't a keystore, is refused before any work", async () => {
  await createKeystore({ path, ...cheap });
  const good = await readFile(path);
  await tamper(["Crypto", "kdfparams", "n"], () => 2 ** 30);
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("malformed");
  await writeFile(path, good);
  await tamper(["x-ethers"], () => undefined);
  expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("without_seed");
  for (const text of ["", "null", "{}", "[]", good.subarray(0, 200).toString(), "x".repeat(100_000)]) {
    await writeFile(path, text);
    expect(await keystoreCode(openKeystore({ path, passphrase }))).toBe("malformed");
  }
});

test("the bare words in the place of the keystore aren't repeated in the error", async () => {
  path = join(directory, "words.txt");
  await writeFile(path, developmentMnemonic);
  const error: unknown = await openKeystore({ path, passphrase }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "malformed" });
  expect(inspect(error, { showHidden: true, depth: null })).not.toContain(developmentMnemonic.slice(0, 5));
});

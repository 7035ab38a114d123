import { mnemonicToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { deriveAddress, maximumIndex, walletPath, walletPurposes } from "../../wallets/derivation.ts";
import { Keyring } from "../../wallets/keyring.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";

const seed = new Seed(developmentMnemonic);

/** Derived once with another library. A change here means that issued addresses can't be restored any more. */
const vectors = [
  ["vault", 0, "0x2c9b74f96f51c907320ca6825a3344c50e81ebba"],
  ["vault", 1, "0x8740b5bfc9b409023c034fbb4146f57ddccc5119"],
  ["vault", maximumIndex, "0xb707430c02af347022ed7af5dd24b2d04f4ec15d"],
  ["gas", 0, "0x9920d2dc452d25e42230ffda1459e9a9a580f472"],
  ["gas", 1, "0xec4b061eeed8fbdc58ff4321da45658f49850825"],
  ["gas", maximumIndex, "0x29c3b0db14dd5d8a5fe0014d2da8ea528758dbaa"],
  ["deposit", 0, "0x9f38fce5786db11a3fb5ad42752807b632f86b93"],
  ["deposit", 1, "0x7f7d319e53936613280c05e82e196b60567e138d"],
  ["deposit", maximumIndex, "0x6604eef926763b98fe0b6390da1cd57c9e0698d4"],
  ["escrow", 0, "0x45bcd071647df2a749849078a7d692c75388eba9"],
  ["escrow", 1, "0x143f4f54973fbf14089c031422482b8db17c9ba4"],
  ["escrow", maximumIndex, "0xa0c1f499513f703278fb53f21d2b827e60f8e0b1"],
] as const;

test("the words and an index restore every address ever issued", () => {
  for (const [purpose, index, address] of vectors) {
    expect(deriveAddress({ seed, wallet: { purpose, index } })).toBe(address);
    const path = walletPath({ purpose, index }) as `m/44'/60'/${string}`;
    expect(mnemonicToAccount(developmentMnemonic, { path }).address.toLowerCase()).toBe(address);
  }
});

test("every step of every path is hardened, and no two wallets share one", () => {
  const paths = walletPurposes.flatMap((purpose) => [0, 1, 2].map((index) => walletPath({ purpose, index })));
  expect(new Set(paths).size).toBe(paths.length);
  for (const path of paths) expect(path).toMatch(/^m(\/[0-9]+'){5}$/);
});

test("an index or a purpose outside the scheme derives nothing", () => {
  for (const index of [-1, 0.5, Number.NaN, maximumIndex + 1]) {
    expect(() => walletPath({ purpose: "escrow", index })).toThrow(RangeError);
  }
  for (const purpose of ["treasury", "constructor", "__proto__"]) {
    expect(() => walletPath({ purpose, index: 0 } as never)).toThrow(RangeError);
  }
});

test("the keyring keeps the latest keys within its bound and derives the others again", () => {
  const keyring = new Keyring({ seed, capacity: 3 });
  const first = keyring.addressOf({ purpose: "escrow", index: 0 });
  for (let index = 0; index < 20; index += 1) {
    keyring.addressOf({ purpose: "escrow", index });
    expect(keyring.size).toBeLessThanOrEqual(3);
  }
  expect(keyring.addressOf({ purpose: "escrow", index: 0 })).toBe(first);
});

import { Mnemonic } from "ethers";
import { expect, test } from "vitest";
import { assertSeedAllowed, developmentMnemonic, Seed, SeedError } from "../../wallets/seed.ts";
import { makeHouse } from "./fixtures.ts";

const anvilMnemonic = "test test test test test test test test test test test junk";
const published = [
  developmentMnemonic,
  anvilMnemonic,
  "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
  "legal winner thank year wave sausage worth useful legal winner thank yellow",
];
const ownMnemonic = Mnemonic.fromEntropy(`0x${"0123456789abcdef".repeat(4)}`).phrase;

test("a seed that everybody knows opens local chains only", () => {
  for (const mnemonic of published) {
    const seed = new Seed(mnemonic);
    expect(() => assertSeedAllowed({ seed, chainIsLocal: false })).toThrow(SeedError);
    expect(() => assertSeedAllowed({ seed, chainIsLocal: true })).not.toThrow();
  }
  expect(() => assertSeedAllowed({ seed: new Seed(ownMnemonic), chainIsLocal: false })).not.toThrow();
});

test("capitals and spaces don't smuggle the development seed in", () => {
  const disguised = new Seed(`  ${developmentMnemonic.toUpperCase().replaceAll(" ", "   ")}\n`);
  expect(disguised.isPublished).toBe(true);
});

test("no signer can be made with a published seed off a local chain", () => {
  expect(() => makeHouse({ chainIsLocal: false })).toThrow(SeedError);
  expect(() => makeHouse({ chainIsLocal: false, seed: new Seed(ownMnemonic) })).not.toThrow();
});

test("the development seed isn't anvil's, so that its wallets start empty", () => {
  expect(developmentMnemonic).not.toBe(anvilMnemonic);
  expect(Mnemonic.isValidMnemonic(developmentMnemonic)).toBe(true);
});

test("words that aren't a mnemonic are refused without being repeated", () => {
  const typo = ownMnemonic.replace(/^\w+/, "typpo");
  for (const bad of [typo, "", "one two", `${ownMnemonic} zoo`]) {
    try {
      new Seed(bad);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SeedError);
      expect(String(error)).not.toContain("typpo");
    }
  }
});

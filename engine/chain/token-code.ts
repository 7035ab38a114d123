/** Where the code of a token lies: behind a proxy it can be replaced. */
import type { Chain } from "./client.ts";
import { bytes } from "./shapes.ts";

/** Slots in which proxies keep the address of their implementation. */
const slots = [
  // ERC-1967: keccak256("eip1967.proxy.implementation") − 1
  "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
  // ZeppelinOS, which USDC uses: keccak256("org.zeppelinos.proxy.implementation")
  "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
];

/** For each token the address of its implementation, or its own when it is no proxy; lower case. */
export async function readCodeAddresses(chain: Chain, tokens: string[]): Promise<string[]> {
  const questions = tokens.flatMap((token) =>
    slots.map((slot) => ({ params: [token, slot, "latest"], shape: bytes })),
  );
  const words = await chain.askMany("eth_getStorageAt", questions);
  return tokens.map((token, index) => {
    const own = words.slice(index * slots.length, (index + 1) * slots.length);
    const implementation = own.find((word) => BigInt(word === "0x" ? 0 : word) !== 0n);
    return implementation === undefined
      ? token
      : `0x${implementation.slice(-40).padStart(40, "0")}`.toLowerCase();
  });
}

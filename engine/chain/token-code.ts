/** Where the code of a token lies: behind a proxy it can be replaced. */
import { toFunctionSelector } from "viem";
import type { Chain } from "./client.ts";
import { RpcRefusedError } from "./errors.ts";
import { bytes } from "./shapes.ts";

/** Slots in which proxies keep the address of their implementation. */
const slots = [
  // ERC-1967: keccak256("eip1967.proxy.implementation") − 1
  "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
  // ZeppelinOS, which USDC uses: keccak256("org.zeppelinos.proxy.implementation")
  "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
];
/** In which they keep that of a beacon, which says where the implementation is: keccak256("eip1967.proxy.beacon") − 1. */
const beaconSlot = "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50";

/** For each token the address of its implementation, or its own when it is no proxy; lower case. */
export async function readCodeAddresses(chain: Chain, tokens: string[]): Promise<string[]> {
  const asked = [...slots, beaconSlot];
  const questions = tokens.flatMap((token) =>
    asked.map((slot) => ({ params: [token, slot, "latest"], shape: bytes })),
  );
  const words = (await chain.askMany("eth_getStorageAt", questions)).map(addressIn);
  return Promise.all(
    tokens.map(async (token, index) => {
      const kept = words.slice(index * asked.length, (index + 1) * asked.length);
      const [implementation] = kept.slice(0, slots.length).filter((each) => each !== null);
      if (implementation !== undefined) return implementation;
      const beacon = kept[slots.length] ?? null;
      return beacon === null ? token : askBeacon(chain, beacon);
    }),
  );
}

/** What a beacon names; itself where it names nothing. */
async function askBeacon(chain: Chain, beacon: string): Promise<string> {
  const call = { to: beacon, data: toFunctionSelector("implementation()") };
  const named = chain.ask("eth_call", [call, "latest"], bytes).catch((error: unknown) => {
    if (error instanceof RpcRefusedError && error.isRevert) return "0x";
    throw error;
  });
  return addressIn(await named) ?? beacon;
}

/** The address in a word; null where it is zero. */
function addressIn(word: string): string | null {
  if (BigInt(word === "0x" ? 0 : word) === 0n) return null;
  return `0x${word.slice(-40).padStart(40, "0")}`.toLowerCase();
}

import { keccak256 } from "viem";

/**
 * Whether a block's logs bloom says that all of these values (addresses, topics) may occur. False is certain.
 * Source: Ethereum Yellow Paper §4.3.1: three 11-bit numbers out of keccak256(value) each set one bit of 2048.
 */
export function mayContain(logsBloom: string, values: readonly string[]): boolean {
  return values.every((value) => bitsOf(value as `0x${string}`).every((bit) => isSet(logsBloom, bit)));
}

function bitsOf(value: `0x${string}`): number[] {
  const hash = keccak256(value).slice(2);
  return [0, 4, 8].map((at) => Number.parseInt(hash.slice(at, at + 4), 16) & 2_047);
}

/** Bit 0 is the lowest bit of the last byte. */
function isSet(logsBloom: string, bit: number): boolean {
  const digit = Number.parseInt(logsBloom.charAt(logsBloom.length - 1 - (bit >> 2)), 16);
  return ((digit >> (bit & 3)) & 1) === 1;
}

/** The filter in a block's header of all addresses and topics in its logs. Source: Ethereum Yellow Paper §4.3.1. */
import { keccak256 } from "viem";

/** Whether these values (addresses, topics) may all occur. False is certain. */
export function mayContain(logsBloom: string, values: readonly string[]): boolean {
  return values.every((value) => knownBitsOf(value).every((bit) => isSet(logsBloom, bit)));
}

/** The bloom of a block whose logs bear these values. */
export function bloomOf(values: Iterable<string>): string {
  const bytes = new Uint8Array(256);
  for (const value of new Set(values)) {
    for (const bit of bitsOf(value)) {
      const at = 255 - (bit >> 3);
      bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
    }
  }
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** The same few tokens and topics are asked for at every block. */
const known = new Map<string, number[]>();
const knownAtMost = 1_000;

function knownBitsOf(value: string): number[] {
  const bits = known.get(value) ?? bitsOf(value);
  if (known.size < knownAtMost) known.set(value, bits);
  return bits;
}

/** Three 11-bit numbers out of keccak256(value) each set one bit of 2048. */
function bitsOf(value: string): number[] {
  const hash = keccak256(value as `0x${string}`).slice(2);
  return [0, 4, 8].map((at) => Number.parseInt(hash.slice(at, at + 4), 16) & 2_047);
}

/** Bit 0 is the lowest bit of the last byte. */
function isSet(logsBloom: string, bit: number): boolean {
  const digit = Number.parseInt(logsBloom.charAt(logsBloom.length - 1 - (bit >> 2)), 16);
  return ((digit >> (bit & 3)) & 1) === 1;
}

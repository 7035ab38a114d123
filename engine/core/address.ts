import { type Refused, refused } from "./rejection.ts";

export const zeroAddress = "0x0000000000000000000000000000000000000000";

export type AddressRejectionCode = "address_invalid" | "address_zero" | "address_checksum_wrong";

export type AddressResult = { ok: true; address: string } | Refused<AddressRejectionCode>;

/** What is wrong with the shape of an address (0x, 40 hex digits, not zero), or null. The checksum isn't looked at. */
export function addressProblem(text: string): Exclude<AddressRejectionCode, "address_checksum_wrong"> | null {
  if (typeof text !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(text)) return "address_invalid";
  return text.toLowerCase() === zeroAddress ? "address_zero" : null;
}

/**
 * Reads an address that somebody gave us into the one form used inside: lower case. Mixed case carries an EIP-55
 * checksum, and a wrong one is a typing error that would lose the money, so it is refused.
 *
 * @param isChecksumRight whether a mixed-case address equals its EIP-55 form. It needs keccak, which the core hasn't got.
 */
export function parseAddress(text: string, isChecksumRight: (address: string) => boolean): AddressResult {
  const problem = addressProblem(text);
  if (problem === "address_invalid") return refused(problem, "An address is 0x and 40 hex digits.");
  if (problem === "address_zero") return refused(problem, "Nobody owns the zero address.");
  const digits = text.slice(2);
  const isMixedCase = /[a-f]/.test(digits) && /[A-F]/.test(digits);
  if (isMixedCase && !isChecksumRight(text)) {
    return refused(
      "address_checksum_wrong",
      "The checksum of this address is wrong. Check for a typing error.",
    );
  }
  return { ok: true, address: text.toLowerCase() };
}

/** Whether a text is an address in the form used inside: 0x and 40 lower-case hex digits. The zero address is one. */
export function isStoredAddress(text: string): boolean {
  return /^0x[0-9a-f]{40}$/.test(text);
}

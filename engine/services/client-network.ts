/** Who a client is to our limits. */
import ipaddr from "ipaddr.js";

/**
 * The network that one subscriber gets: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one
 * of those has all 2^64 of them. An IPv4 address written as IPv6 counts as what it is.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  return parsed.toNormalizedString().split(":", 4).join(":");
}

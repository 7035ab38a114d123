/** Blocks by number, hash and tag. */
import type { Chain } from "./client.ts";
import { hex } from "./logs.ts";
import { type Header, header } from "./shapes.ts";

const maybeHeader = header.nullable();

/** The canonical block of a number, or null when there is none (yet). */
export const readBlock = (chain: Chain, number: bigint): Promise<Header | null> =>
  chain.ask("eth_getBlockByNumber", [hex(number), false], maybeHeader);

/** The block behind a tag; null where the node has none or doesn't know the tag. */
export async function readTag(chain: Chain, tag: "latest" | "safe" | "finalized"): Promise<Header | null> {
  return chain.ask("eth_getBlockByNumber", [tag, false], maybeHeader);
}

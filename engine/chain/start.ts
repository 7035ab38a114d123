/** Where following starts. */
import type { Chain } from "./client.ts";
import { DeepReorgError } from "./errors.ts";
import { finalNumber } from "./finality.ts";
import type { HeadFeed } from "./head-feed.ts";
import { countWitnesses, readBlock, readBlockByHash } from "./heads.ts";
import { KnownBlocks } from "./known-blocks.ts";
import { type Header, refOf } from "./shapes.ts";
import type { BlockId, BlockRef } from "./types.ts";

export interface Place {
  from: BlockId | null;
  recentBlocks: readonly BlockRef[];
  /** Its hash may be empty when it is no longer known. */
  finalized: BlockId | null;
}

/**
 * The newest block that a quorum of providers calls final; null while there is none.
 */
export async function findFinal(chain: Chain, feed: HeadFeed): Promise<Header | null> {
  const number = finalNumber(feed.views(), chain.quorum);
  const block = number === null ? null : await readBlock(chain, number);
  if (block === null) return null;
  return (await countWitnesses(chain, block)) >= chain.quorum ? block : null;
}

/**
 * The known blocks up to the cursor; null while the nodes haven't got that far themselves.
 * @throws DeepReorgError when the cursor's block isn't in the chain and nothing is known of its ancestors
 */
export async function resume(
  chain: Chain,
  { from, recentBlocks, finalized }: Place & { from: BlockId },
): Promise<KnownBlocks | null> {
  const blocks = [...recentBlocks];
  if (blocks.at(-1)?.hash !== from.hash) {
    const cursor = await readBlockByHash(chain, from.hash);
    if (cursor === null) {
      const instead = await readBlock(chain, from.number);
      if (instead === null) return null;
      throw new DeepReorgError(`Block ${from.number} was handled and is no longer in the chain.`);
    }
    blocks.splice(0, blocks.length, refOf(cursor));
  }
  const [oldest] = blocks;
  if (finalized === null || oldest === undefined || finalized.number >= oldest.number)
    return new KnownBlocks(blocks, finalized);
  const floor = await (finalized.hash === ""
    ? readBlock(chain, finalized.number)
    : readBlockByHash(chain, finalized.hash));
  return new KnownBlocks(floor === null ? blocks : [refOf(floor), ...blocks], floor ?? finalized);
}

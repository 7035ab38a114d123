/** How far the chain is final, by the word of as many providers as must agree. Pure. */
import type { View } from "./head-feed.ts";
import type { KnownBlocks } from "./known-blocks.ts";
import type { Header } from "./shapes.ts";
import type { BlockId } from "./types.ts";

/** The highest number that at least `quorum` of the numbers reach; null when there are fewer. */
export function reachedBy(quorum: number, numbers: readonly bigint[]): bigint | null {
  const descending = [...numbers].sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
  return descending[quorum - 1] ?? null;
}

/** The number up to which enough providers call their chain final, whatever its blocks are. */
export const finalNumber = (views: readonly View[], quorum: number): bigint | null =>
  reachedBy(
    quorum,
    views.flatMap(({ finalized }) => (finalized === null ? [] : [finalized.number])),
  );

/**
 * Whether enough providers call a line of blocks final as it was read: up to its last block or beyond, and with the
 * line's own hash when the block that they name is in it.
 */
export function isCalledFinal(
  line: readonly BlockId[],
  { views, quorum }: { views: readonly View[]; quorum: number },
): boolean {
  const last = line.at(-1)?.number ?? 0n;
  const vouching = views.filter(({ finalized }) => {
    if (finalized === null || finalized.number < last) return false;
    return line.every(({ number, hash }) => number !== finalized.number || hash === finalized.hash);
  });
  return vouching.length >= quorum;
}

/**
 * The highest known block that enough providers vouch for under a tag. A provider vouches for our blocks up to its own
 * only when we know that block by the same hash; one that names another is on another branch, or we are.
 */
export function vouchedBlock(
  known: KnownBlocks,
  { views, tag, quorum }: { views: readonly View[]; tag: "finalized" | "safe"; quorum: number },
): BlockId | null {
  const numbers = views.flatMap((view) => {
    const block: Header | null = view[tag];
    return block !== null && known.has(block) ? [block.number] : [];
  });
  const number = reachedBy(quorum, numbers);
  return number === null ? null : known.at(number);
}

/** A block that enough providers call final where we know another: our branch is one that somebody has made up. */
export function finalInstead(known: KnownBlocks, views: readonly View[], quorum: number): Header | null {
  const floor = known.finalized?.number ?? -1n;
  const finals = views.flatMap(({ finalized }) => finalized ?? []);
  const instead = finals.find(
    (block) =>
      block.number > floor &&
      block.number <= known.tip.number &&
      !known.has(block) &&
      finals.filter(({ hash }) => hash === block.hash).length >= quorum,
  );
  return instead ?? null;
}

/** Writes into each provider's health whether its finalized block is missing, has gone back, or isn't on our chain. */
export function noteDoubts(known: KnownBlocks, views: readonly View[]): void {
  for (const { provider, finalized } of views) provider.doubt(doubtAbout(known, finalized));
}

function doubtAbout(known: KnownBlocks, finalized: Header | null): string | null {
  if (finalized === null) return "it names no finalized block";
  const floor = known.finalized?.number ?? 0n;
  if (finalized.number < floor)
    return `its finalized block ${finalized.number} is below ${floor}, which was final before`;
  return finalized.number <= known.tip.number && !known.has(finalized)
    ? `its finalized block ${finalized.number} is another than ours`
    : null;
}

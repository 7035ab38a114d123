/** How many providers' word is needed for what is called final, and what each one's word is worth. */
import { describe, expect, it } from "vitest";
import { finalNumber, isCalledFinal, vouchedBlock } from "../../engine/chain/finality.ts";
import type { View } from "../../engine/chain/head-feed.ts";
import { KnownBlocks } from "../../engine/chain/known-blocks.ts";
import type { BlockRef } from "../../engine/chain/types.ts";

const hashOf = (number: number, branch = 0): string =>
  `0x${(branch * 1_000 + number).toString(16).padStart(64, "0")}`;
const block = (number: number, branch = 0): BlockRef => ({
  number: BigInt(number),
  hash: hashOf(number, branch),
  parentHash: hashOf(number - 1, branch),
  timestampSeconds: 0n,
});
/** What a provider says that asks nobody else. */
const saying = (finalized: BlockRef | null): View =>
  ({ head: block(20), finalized, safe: finalized }) as unknown as View;

const line = [block(5), block(6), block(7)];
const isFinal = (quorum: number, ...said: (BlockRef | null)[]): boolean =>
  isCalledFinal(line, { views: said.map(saying), quorum });

describe("a line of blocks", () => {
  it("is called final by who names its last block, or one beyond it", () => {
    expect(isFinal(1, block(7))).toBe(true);
    expect(isFinal(1, block(9))).toBe(true);
  });

  it("isn't by who names an earlier block, another in its last place, or none", () => {
    expect(isFinal(1, block(6))).toBe(false);
    expect(isFinal(1, block(7, 1))).toBe(false);
    expect(isFinal(1, null)).toBe(false);
  });

  it("needs the word of as many as must agree (SAFETY 26)", () => {
    expect(isFinal(2, block(9))).toBe(false);
    expect(isFinal(2, block(9), block(7, 1))).toBe(false);
    expect(isFinal(2, block(9), null)).toBe(false);
    expect(isFinal(2, block(9), block(7, 1), block(7))).toBe(true);
  });
});

describe("the final block", () => {
  const finalOf = (quorum: number, ...said: (BlockRef | null)[]) =>
    vouchedBlock(new KnownBlocks(line, null), { views: said.map(saying), tag: "finalized", quorum })?.number;

  it("is the highest that enough providers name, each by a block of ours (SAFETY 26)", () => {
    expect(finalOf(1, block(6))).toBe(6n);
    expect(finalOf(2, block(6))).toBeUndefined();
    expect(finalOf(2, block(6), block(7))).toBe(6n);
    expect(finalOf(2, block(6), block(7, 1))).toBeUndefined();
    expect(finalOf(1, block(7, 1), block(5))).toBe(5n);
  });

  it("may be a number that we don't know yet", () => {
    expect(finalNumber([block(9), null, block(11)].map(saying), 2)).toBe(9n);
    expect(finalNumber([block(9), null].map(saying), 2)).toBeNull();
  });
});

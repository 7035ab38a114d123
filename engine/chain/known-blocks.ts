import type { BlockId, BlockRef } from "./types.ts";

/**
 * The blocks that were yielded and may still be taken back, oldest first, the tip last. Each is the parent of the next.
 * The newest final block stays as the floor: the deepest block that a reorg may go back to.
 */
export class KnownBlocks {
  #blocks: BlockRef[];
  #finalized: BlockId | null;
  #safe: BlockId | null = null;

  constructor(blocks: readonly BlockRef[], finalized: BlockId | null) {
    this.#blocks = [...blocks];
    this.#finalized = finalized;
    this.#dropBelowFloor();
  }

  get tip(): BlockRef {
    const tip = this.#blocks.at(-1);
    if (tip === undefined) throw new Error("following starts from a block");
    return tip;
  }
  get finalized(): BlockId | null {
    return this.#finalized;
  }
  get safe(): BlockId | null {
    return this.#safe;
  }

  /** The block at a number, or null when it is above the tip, below the floor, or was left out as final and empty. */
  at(number: bigint): BlockRef | null {
    const index = this.#blocks.findLastIndex((block) => block.number <= number);
    const block = this.#blocks[index];
    return block?.number === number ? block : null;
  }

  has(block: BlockId): boolean {
    return this.at(block.number)?.hash === block.hash;
  }

  push(block: BlockRef): void {
    if (block.parentHash !== this.tip.hash)
      throw new Error(`block ${block.number} doesn't follow from the tip`);
    this.#blocks.push(block);
  }

  /** Takes back what is above `ancestor`. @returns it, oldest first */
  cutAbove(ancestor: BlockRef): BlockRef[] {
    const index = this.#blocks.findLastIndex(({ number }) => number <= ancestor.number);
    // What is taken back wasn't safe; finality is never taken back.
    if (this.#safe !== null && this.#safe.number > ancestor.number) this.#safe = idOf(ancestor);
    return this.#blocks.splice(index + 1);
  }

  /**
   * Notes how far the chain is final and safe; both must be known blocks, and neither goes back.
   * @returns whether that is news
   */
  settle({ finalized, safe }: { finalized: BlockId | null; safe: BlockId | null }): boolean {
    const before = this.#finalized?.number ?? -1n;
    const finalizedGrows = finalized !== null && finalized.number > before;
    if (finalizedGrows) this.#finalized = idOf(finalized);
    const floor = this.#finalized;
    const wanted = [safe, this.#safe, floor].reduce((a, b) =>
      (a?.number ?? -1n) >= (b?.number ?? -1n) ? a : b,
    );
    // What is final is safe too, also when the safe block that is named now isn't known yet.
    const isTold = safe !== null || this.#safe !== null;
    const safeGrows = isTold && wanted !== null && wanted.number > (this.#safe?.number ?? -1n);
    if (safeGrows) this.#safe = idOf(wanted);
    if (finalizedGrows) this.#dropBelowFloor();
    return finalizedGrows || safeGrows;
  }

  #dropBelowFloor(): void {
    const floor = this.#finalized?.number ?? -1n;
    const index = this.#blocks.findLastIndex(({ number }) => number <= floor);
    if (index > 0) this.#blocks.splice(0, index);
  }
}

const idOf = ({ number, hash }: BlockId): BlockId => ({ number, hash });

/** Chance that comes again: everything a simulation leaves to chance is drawn here, from its seed. */
import { createHash } from "node:crypto";
import { uniformBigInt } from "pure-rand/distribution/uniformBigInt";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

const million = 1_000_000;

/** Draws in a fixed order: only for what happens one after the other. */
export class Dice {
  readonly #generator: ReturnType<typeof xoroshiro128plusFromState>;

  constructor(seed: number) {
    // Through a hash: neighbours among the seeds would begin alike.
    const state = createHash("sha256").update(`seed ${seed}`).digest();
    this.#generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => state.readInt32LE(at)));
  }

  /** Both ends included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** Both ends included. */
  amount(from: bigint, to: bigint): bigint {
    return uniformBigInt(this.#generator, from, to);
  }

  /** @param share from 0 (never) to 1 (always) */
  chance(share: number): boolean {
    return this.int(0, million - 1) < share * million;
  }

  /** @throws when there is nothing to pick from */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.int(0, items.length - 1)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** Each as likely as its weight says. */
  weighted<Item>(choices: readonly (readonly [Item, number])[]): Item {
    let left = this.int(
      1,
      choices.reduce((sum, [, weight]) => sum + weight, 0),
    );
    for (const [item, weight] of choices) {
      left -= weight;
      if (left <= 0) return item;
    }
    throw new Error("the weights make more than their sum");
  }
}

/** From 0 to just below 1, by the text alone: for what may happen in any order. */
export const shareOf = (text: string): number =>
  createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;

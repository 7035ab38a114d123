/** How many blocks to ask for at once. */
import { ChainError } from "./errors.ts";

/** After so many answers in a row a wider question is tried again: what failed may have been a moment's trouble. */
const answersBeforeWidening = 32;
const firstWidth = 64n;
/** An answer should hold about so many logs: some 5 MB, and a moment's work to read. */
const logsTogether = 8_000n;

/**
 * The width is halved on any failure (nodes word their limits in twenty ways) and doubled after answers, up to what last
 * went well, and to where the next answer would hold too many logs if it were like the last.
 */
export class AdaptiveWidth {
  readonly #most: bigint;
  #width: bigint;
  #ceiling: bigint;
  #answers = 0;

  constructor(most: bigint) {
    this.#most = most;
    this.#width = least(firstWidth, most);
    this.#ceiling = most;
  }

  /**
   * Reads the beginning of a range, at least one block of it.
   * @throws what `read` threw when even a single block can't be read, or what no narrower question would mend
   */
  async ask<T>(
    { from, to }: { from: bigint; to: bigint },
    read: (range: { from: bigint; to: bigint }) => Promise<T>,
    countLogs: (answer: T) => number,
  ): Promise<T> {
    for (;;) {
      try {
        const until = least(from + this.#width - 1n, to);
        const answer = await read({ from, to: until });
        this.#widen({ blocks: until - from + 1n, logs: BigInt(countLogs(answer)) });
        return answer;
      } catch (error) {
        if (!(error instanceof ChainError) || this.#width === 1n) throw error;
        this.#width /= 2n;
        this.#ceiling = this.#width;
        this.#answers = 0;
      }
    }
  }

  #widen({ blocks, logs }: { blocks: bigint; logs: bigint }): void {
    this.#answers += 1;
    if (this.#answers % answersBeforeWidening === 0) this.#ceiling = least(2n * this.#ceiling, this.#most);
    this.#width = least(2n * this.#width, this.#ceiling);
    if (logs > 0n) this.#width = greatest(least(this.#width, (blocks * logsTogether) / logs), 1n);
  }
}

const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

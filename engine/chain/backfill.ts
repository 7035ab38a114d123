/** Far below the tip: lines of final blocks, as long as the nodes allow. */
import type { Chain } from "./client.ts";
import { ChainError, InconsistentAnswerError } from "./errors.ts";
import { countWitnesses, readLine } from "./heads.ts";
import { readTransfersOfLine } from "./logs.ts";
import type { Header } from "./shapes.ts";
import type { TransferLog } from "./types.ts";

export interface Line {
  /** Each the parent of the next; the first may follow from another block than was expected. */
  blocks: Header[];
  /** By block hash; nothing for blocks without transfers. */
  transfers: Map<string, TransferLog[]>;
}

/** After so many answers in a row a wider question is tried again: what failed may have been a moment's trouble. */
const answersBeforeWidening = 32;

/**
 * Reads lines of final blocks one after the other. The width is halved on any failure (nodes word their limits in twenty
 * ways) and doubled after answers, up to what last went well.
 */
export class Backfill {
  readonly #chain: Chain;
  readonly #tokens: readonly string[];
  readonly #maxRange: bigint;
  #width: bigint;
  #ceiling: bigint;
  #answers = 0;

  constructor(chain: Chain, { tokens, maxRange }: { tokens: readonly string[]; maxRange: bigint }) {
    this.#chain = chain;
    this.#tokens = tokens;
    this.#maxRange = maxRange;
    this.#width = maxRange;
    this.#ceiling = maxRange;
  }

  /**
   * The blocks from `from` on, at least one and at most up to `to`, the last of them named by a quorum of providers.
   * @throws what the nodes threw when even a single block can't be read
   */
  async next({ from, to }: { from: bigint; to: bigint }): Promise<Line> {
    for (;;) {
      const end = from + this.#width - 1n;
      try {
        const line = await this.#read({ from, to: end < to ? end : to });
        this.#widen();
        return line;
      } catch (error) {
        if (!(error instanceof ChainError) || this.#width === 1n) throw error;
        this.#width /= 2n;
        this.#ceiling = this.#width;
        this.#answers = 0;
      }
    }
  }

  #widen(): void {
    this.#answers += 1;
    if (this.#answers % answersBeforeWidening === 0)
      this.#ceiling = least(2n * this.#ceiling, this.#maxRange);
    this.#width = least(2n * this.#width, this.#ceiling);
  }

  async #read(range: { from: bigint; to: bigint }): Promise<Line> {
    const blocks = await readLine(this.#chain, range);
    const last = blocks.at(-1);
    if (last === undefined) throw new Error("a range has at least one block");
    const { quorum } = this.#chain;
    if (quorum > 1 && (await countWitnesses(this.#chain, last)) < quorum)
      throw new InconsistentAnswerError(`the providers don't agree on the final block ${last.number}`);
    return { blocks, transfers: await readTransfersOfLine(this.#chain, blocks, this.#tokens) };
  }
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

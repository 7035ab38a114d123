/** Far below the tip: lines of final blocks, as long as the nodes allow. */

import { AdaptiveWidth } from "./adaptive-width.ts";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
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

const countTransfers = ({ transfers }: Line): number =>
  [...transfers.values()].reduce((sum, { length }) => sum + length, 0);

/** Reads lines of final blocks one after the other. */
export class Backfill {
  readonly #chain: Chain;
  readonly #tokens: readonly string[];
  readonly #width: AdaptiveWidth;

  constructor(chain: Chain, { tokens, maxRange }: { tokens: readonly string[]; maxRange: bigint }) {
    this.#chain = chain;
    this.#tokens = tokens;
    this.#width = new AdaptiveWidth(maxRange);
  }

  /**
   * The blocks from `from` on, at least one and at most up to `to`, the last of them named by a quorum of providers.
   * @throws what the nodes threw when even a single block can't be read
   */
  next(range: { from: bigint; to: bigint }): Promise<Line> {
    return this.#width.ask(range, (narrower) => this.#read(narrower), countTransfers);
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

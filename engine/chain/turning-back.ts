/** When the chain left blocks that we know: back to the last one that is still in it. */
import type { Chain } from "./client.ts";
import { DeepReorgError, InconsistentAnswerError } from "./errors.ts";
import type { HeadFeed } from "./head-feed.ts";
import { countVoices, countWitnesses, readParent } from "./heads.ts";
import type { KnownBlocks } from "./known-blocks.ts";
import type { Header } from "./shapes.ts";
import type { ChainEvent } from "./types.ts";

/**
 * Finds the last of our blocks that `block` descends from and takes back what is above it.
 * @param block at most one above the tip
 * @throws DeepReorgError when that would be below the finalized block
 */
export async function* turnBack(chain: Chain, known: KnownBlocks, block: Header): AsyncGenerator<ChainEvent> {
  let theirs = block;
  for (;;) {
    const ours = known.at(theirs.number - 1n);
    if (ours?.hash === theirs.parentHash) {
      const orphaned = known.cutAbove(ours);
      if (orphaned.length > 0) yield { type: "reorg", commonAncestor: ours, orphaned };
      return;
    }
    if (ours === null || ours.number <= (known.finalized?.number ?? -1n)) return cryDeep(chain, known);
    theirs = await readParent(chain, theirs);
  }
}

/** @throws DeepReorgError, unless one provider stands by our final block and too few name another: those are in doubt. */
async function cryDeep(chain: Chain, { finalized, tip }: KnownBlocks): Promise<never> {
  const floor = finalized ?? tip;
  const { witnesses, others } = await countVoices(chain, floor);
  if (witnesses > 0 && others < chain.quorum)
    throw new InconsistentAnswerError(
      `the providers tell of two chains below the final block ${floor.number}`,
    );
  throw new DeepReorgError(`Block ${floor.number} (${floor.hash}) was final and is no longer in the chain.`);
}

/** So many polls of each provider in a row must find a development chain shorter than it was. */
const pollsToBelieve = 3;

/**
 * Watches for a best head below our tip. On a real chain that is a provider that lags, and nothing follows. A development
 * chain may have lost its last blocks (a restart, a revert): it is believed after some polls.
 */
export class LossWatch {
  readonly #chain: Chain;
  readonly #feed: HeadFeed;
  #sincePoll: number | null = null;

  constructor(chain: Chain, feed: HeadFeed) {
    this.#chain = chain;
    this.#feed = feed;
  }

  /** The head isn't below our tip. */
  reset(): void {
    this.#sincePoll = null;
  }

  /** @throws DeepReorgError when the chain lost final blocks */
  async *look(known: KnownBlocks, head: Header): AsyncGenerator<ChainEvent> {
    if (!(await this.#chain.isDevelopmentNode())) return;
    this.#sincePoll ??= this.#feed.polls;
    if (this.#feed.polls - this.#sincePoll < pollsToBelieve * this.#chain.providers.length) return;
    this.reset();
    if ((await countWitnesses(this.#chain, known.tip)) > 0) return;
    const ancestor = known.at(head.number);
    if (ancestor?.hash !== head.hash) return cryDeep(this.#chain, known);
    yield { type: "reorg", commonAncestor: ancestor, orphaned: known.cutAbove(ancestor) };
  }
}

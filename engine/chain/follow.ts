/**
 * Follows the canonical chain. It yields what happened and never writes; whoever reads it sets the pace.
 *
 * A new head meets one of four cases; `tip` is the last block that was yielded:
 * 1. It is known: nothing to do. (A head below the tip belongs to a provider that lags.)
 * 2. It is further on, and the blocks up to it follow from the tip: yield them.
 * 3. It is at or below the tip and not known, and nobody stands by our tip any more: turn back.
 * 4. It is further on, and the block after the tip has another parent: turn back.
 * Turning back is walking from the new block to its parents until one is known; `reorg` names it and what is orphaned.
 * When that would be below the finalized block the chain has broken its promise: DeepReorgError.
 *
 * Invariant: the yielded blocks, less those taken back by `reorg`, are always one unbroken chain of parents, except that
 * final blocks without transfers may be left out while catching up. finalized ≤ safe ≤ tip, and finalized only grows.
 */
import { Backfill, type Line } from "./backfill.ts";
import type { Chain } from "./client.ts";
import { ChainError, DeepReorgError, InconsistentAnswerError } from "./errors.ts";
import { finalInstead, finalNumber, isCalledFinal, noteDoubts, vouchedBlock } from "./finality.ts";
import { type Announced, HeadFeed } from "./head-feed.ts";
import { countWitnesses, readDownTo, readLine } from "./heads.ts";
import { inOrderAhead } from "./in-order.ts";
import { KnownBlocks } from "./known-blocks.ts";
import { readTransfersOf, readTransfersOfLine } from "./logs.ts";
import { type Header, refOf } from "./shapes.ts";
import { findFinal, resume } from "./start.ts";
import { LossWatch, turnBack } from "./turning-back.ts";
import type { BlockId, BlockRef, ChainEvent, Sighting, TransferLog } from "./types.ts";

export type { BlockId, BlockRef, ChainEvent, TransferLog } from "./types.ts";

export interface FollowOptions {
  /** The last block that was handled; null starts at the finalized block, whose own transfers nobody waits for. */
  from: BlockId | null;
  /** The blocks handled above the finalized one, ascending; `from` is the last of them. */
  recentBlocks: readonly BlockRef[];
  /** The last finalized block that was handled; its hash may be empty when it is no longer known. */
  finalized: BlockId | null;
  /** Lower case. The cost doesn't depend on how many wallets are watched. */
  tokens: readonly string[];
  /** Widest question for logs, in blocks. */
  maxRange?: bigint;
  pollIntervalMs?: number;
  signal: AbortSignal;
  /** Hears of transfers before their block is yielded, where a WebSocket tells of them: hints, of which any may be missing. */
  sighted?: (sighting: Sighting) => void;
}

/** Blocks between tip and head that are fetched at once, and of how many the logs are asked for ahead. */
const lineLength = 64n;
const readAhead = 8;

/**
 * Goes on through outages (they are in the providers' health) until `signal` is aborted.
 * @throws DeepReorgError
 */
export async function* follow(chain: Chain, options: FollowOptions): AsyncGenerator<ChainEvent> {
  const { signal, tokens, pollIntervalMs = 1_000, sighted = () => undefined } = options;
  const feed = new HeadFeed(chain, { pollIntervalMs, signal, tokens, sighted });
  const follower = new Follower(chain, feed, { ...options, readsAhead: true });
  feed.open();
  try {
    while (!signal.aborted) {
      await feed.changed();
      yield* stepOf(follower);
    }
  } finally {
    feed.close();
  }
}

/**
 * Follows like `follow`, at the caller's pace: each call asks every provider once, and yields what follows from that.
 * Read each to its end, or begin anew from what was handled.
 */
export function followByHand(
  chain: Chain,
  options: Omit<FollowOptions, "pollIntervalMs" | "sighted">,
): () => AsyncGenerator<ChainEvent> {
  const { signal, tokens } = options;
  const feed = new HeadFeed(chain, { pollIntervalMs: 0, signal, tokens, sighted: () => undefined });
  const follower = new Follower(chain, feed, { ...options, readsAhead: false });
  return async function* look() {
    await feed.poll();
    yield* stepOf(follower);
  };
}

const stepOf = (follower: Follower): AsyncGenerator<ChainEvent> => untilTrouble(follower.step());

/** What there is before trouble of the nodes, if there is any. */
async function* untilTrouble(events: AsyncGenerator<ChainEvent>): AsyncGenerator<ChainEvent> {
  try {
    yield* events;
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
}

/** Trouble of the nodes, which is in their health and may pass. */
const isPassing = (error: unknown): boolean =>
  error instanceof ChainError && !(error instanceof DeepReorgError);

class Follower {
  readonly #chain: Chain;
  readonly #feed: HeadFeed;
  readonly #options: Omit<FollowOptions, "pollIntervalMs">;
  readonly #backfill: Backfill;
  readonly #losses: LossWatch;
  readonly #readsAhead: boolean;
  #known: KnownBlocks | null = null;

  constructor(
    chain: Chain,
    feed: HeadFeed,
    { readsAhead, ...options }: Omit<FollowOptions, "pollIntervalMs"> & { readsAhead: boolean },
  ) {
    this.#chain = chain;
    this.#feed = feed;
    this.#options = options;
    this.#readsAhead = readsAhead;
    this.#losses = new LossWatch(chain, feed);
    this.#backfill = new Backfill(chain, { tokens: options.tokens, maxRange: options.maxRange ?? 2_000n });
  }

  /** Everything that follows from what the nodes say now. */
  async *step(): AsyncGenerator<ChainEvent> {
    this.#known ??= yield* this.#start();
    if (this.#known === null) return;
    // What can't be read or agreed on by lines may still go block by block, without being final; and what leads nowhere
    // keeps nothing that is known from being final.
    yield* untilTrouble(this.#catchUp(this.#known));
    yield* untilTrouble(this.#approach(this.#known));
    yield* this.#settle(this.#known);
  }

  /** A head that doesn't lead to any block, as one that a node has made up, leaves the turn to the next. */
  async *#approach(known: KnownBlocks): AsyncGenerator<ChainEvent> {
    for (const announced of this.#feed.takeHeads()) {
      const before = known.tip;
      yield* untilTrouble(this.#approachOne(known, announced));
      if (known.tip !== before) return;
    }
  }

  async *#start(): AsyncGenerator<ChainEvent, KnownBlocks | null> {
    const { from } = this.#options;
    if (from !== null) return resume(this.#chain, { ...this.#options, from });
    const first = await findFinal(this.#chain, this.#feed);
    if (first === null) return null;
    const known = new KnownBlocks([refOf(first)], null);
    yield { type: "block", block: known.tip, transfers: [] };
    return known;
  }

  /** Up to the finalized block, by lines; the next is read while the reader is busy with the last. */
  async *#catchUp(known: KnownBlocks): AsyncGenerator<ChainEvent> {
    let ahead: { from: bigint; line: Promise<Line> } | null = null;
    while (!this.#options.signal.aborted) {
      const from = known.tip.number + 1n;
      const views = this.#feed.views();
      const { quorum } = this.#chain;
      const to = finalNumber(views, quorum);
      if (to === null || to < from) {
        const instead = finalInstead(known, views, quorum);
        if (instead === null || (await countWitnesses(this.#chain, instead)) < quorum) return;
        yield* turnBack(this.#chain, known, instead);
        // By hash: by number the provider with the other branch may be the one that answers.
        const blocks = await readDownTo(this.#chain, { head: instead, from: known.tip.number + 1n });
        const transfers = await readTransfersOfLine(this.#chain, blocks, this.#options.tokens);
        yield* takeFinal(known, { blocks, transfers });
        continue;
      }
      const { blocks, transfers } = await (ahead?.from === from
        ? ahead.line
        : this.#backfill.next({ from, to }));
      if (!isCalledFinal(blocks, { views, quorum }))
        throw new InconsistentAnswerError(
          `the final blocks up to ${to} are others than those that are called final`,
        );
      const [first] = blocks;
      if (first !== undefined && first.parentHash !== known.tip.hash) {
        yield* turnBack(this.#chain, known, first);
        ahead = null;
        continue;
      }
      ahead = this.#readAhead({ from: from + BigInt(blocks.length), to });
      yield* takeFinal(known, { blocks, transfers });
    }
  }

  #readAhead({ from, to }: { from: bigint; to: bigint }): { from: bigint; line: Promise<Line> } | null {
    if (from > to || !this.#readsAhead) return null;
    const line = this.#backfill.next({ from, to });
    line.catch(() => undefined); // It is thrown where its turn comes, if it comes.
    return { from, line };
  }

  /** From the tip to the head, block by block. */
  async *#approachOne(known: KnownBlocks, announced: Announced): AsyncGenerator<ChainEvent> {
    const { head } = announced;
    while (!this.#options.signal.aborted) {
      const { tip } = known;
      if (head.number < tip.number && (known.has(head) || head.number <= (known.finalized?.number ?? 0n))) {
        yield* this.#losses.look(known, head);
        return;
      }
      this.#losses.reset();
      if (known.has(head)) return;
      if (head.number <= tip.number) {
        // As long as somebody stands by our tip, the other is the one that is behind, on a branch that was left.
        if ((await countWitnesses(this.#chain, tip)) > 0) return;
        yield* turnBack(this.#chain, known, head);
        continue;
      }
      const line = await this.#readUpTo(head, tip);
      if (line[0]?.parentHash !== tip.hash) yield* turnBack(this.#chain, known, line[0] ?? head);
      else yield* this.#takeLine(known, line, announced);
    }
  }

  async #readUpTo(head: Header, tip: BlockRef): Promise<Header[]> {
    const from = tip.number + 1n;
    if (head.number - tip.number > lineLength)
      return readLine(this.#chain, { from, to: tip.number + lineLength });
    const line = await readLine(this.#chain, { from, to: head.number - 1n }).catch(() => []);
    if ((line.at(-1) ?? tip).hash === head.parentHash) return [...line, head];
    // By number the providers tell of several branches; by hash there is only one way down from the head.
    return readDownTo(this.#chain, { head, from });
  }

  async *#takeLine(
    known: KnownBlocks,
    line: readonly Header[],
    { head, announcer }: Announced,
  ): AsyncGenerator<ChainEvent> {
    const read = async (block: Header) => ({
      block,
      transfers: await readTransfersOf(this.#chain, block, {
        tokens: this.#options.tokens,
        announcer: block === head ? announcer : null,
      }),
    });
    for await (const { block, transfers } of inOrderAhead(line, readAhead, read))
      yield take(known, block, transfers);
  }

  /** A provider whose finalized block goes back, or is another than ours, moves nothing; its health says why. */
  async *#settle(known: KnownBlocks): AsyncGenerator<ChainEvent> {
    const views = this.#feed.views();
    const { quorum } = this.#chain;
    noteDoubts(known, views);
    const finalized = vouchedBlock(known, { views, tag: "finalized", quorum });
    const safe = vouchedBlock(known, { views, tag: "safe", quorum });
    if (known.settle({ finalized, safe })) yield* told(known);
  }
}

/** Of final blocks those without transfers are left out, but for the last. */
function* takeFinal(known: KnownBlocks, { blocks, transfers }: Line): Generator<ChainEvent> {
  for (const [index, block] of blocks.entries()) {
    const own = transfers.get(block.hash) ?? [];
    if (own.length > 0 || index === blocks.length - 1) yield take(known, block, own);
    else known.push(refOf(block));
  }
  if (known.settle({ finalized: known.tip, safe: known.tip })) yield* told(known);
}

function take(known: KnownBlocks, header: Header, transfers: TransferLog[]): ChainEvent {
  const block = refOf(header);
  known.push(block);
  return { type: "block", block, transfers };
}

function* told({ finalized, safe }: KnownBlocks): Generator<ChainEvent> {
  if (finalized !== null) yield { type: "finalized", block: finalized, safe };
}

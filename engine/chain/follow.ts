/**
 * Follows the canonical chain. It yields what happened and never writes; whoever reads it sets the pace.
 *
 * A new head meets one of four cases; `tip` is the last block that was yielded:
 * 1. It is the tip, or a block that was yielded before: nothing to do.
 * 2. Its parent is the tip: yield it.
 * 3. It is further on: fetch the blocks in between by number; each then meets case 2 or 4.
 * 4. Its parent, or a block at its height, isn't ours: walk back to the last block that is still canonical, yield `reorg`,
 *    and go on from there. When that is below the finalized block, the chain has broken its promise: DeepReorgError.
 *
 * Invariant: the yielded blocks, less those taken back by `reorg`, are always one unbroken chain of parents (below the
 * finalized block with blocks left out that hold no transfer).
 */
import { backfill } from "./backfill.ts";
import type { Chain } from "./client.ts";
import { DeepReorgError, InconsistentAnswerError } from "./errors.ts";
import { HeadFeed } from "./head-feed.ts";
import { readBlock, readTag } from "./heads.ts";
import { readTransfersOf } from "./logs.ts";
import type { Header } from "./shapes.ts";
import type { BlockId, BlockRef, ChainEvent } from "./types.ts";

export type { BlockId, BlockRef, ChainEvent, TransferLog } from "./types.ts";

export interface FollowOptions {
  /** The last block that was handled; null starts at the finalized block. */
  from: BlockId | null;
  /** The blocks handled above the finalized one, ascending; `from` is the last of them. */
  recentBlocks: BlockRef[];
  /** The last finalized block that was handled. */
  finalized: BlockId | null;
  /** Lower case. The cost doesn't depend on how many wallets are watched. */
  tokens: string[];
  /** Widest question for logs, in blocks. */
  maxRange?: bigint;
  pollIntervalMs?: number;
  signal: AbortSignal;
}

/** @throws DeepReorgError, or RpcUnavailableError when the nodes stay silent: begin again from the cursor. */
export async function* follow(chain: Chain, options: FollowOptions): AsyncGenerator<ChainEvent> {
  const { signal, tokens, maxRange = 2_000n, pollIntervalMs = 1_000 } = options;
  const position = new Position(options);
  const feed = new HeadFeed(chain, { pollIntervalMs, signal });
  await feed.open();
  try {
    yield* catchUp(chain, position, { tokens, maxRange, signal });
    let checkedFinalAtMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const head = await feed.next();
      if (head === null) break;
      yield* advance(chain, position, head, tokens);
      // Finality moves slowly; asking at every announced block would double the work for nothing.
      if (performance.now() - checkedFinalAtMs >= pollIntervalMs) {
        yield* finality(chain, position);
        checkedFinalAtMs = performance.now();
      }
    }
  } finally {
    feed.close();
  }
}

/** Where the reader is. */
class Position {
  tip: BlockId | null;
  finalized: BlockId | null;
  safe: BlockId | null = null;
  /** Blocks yielded above the finalized one, ascending, the tip last. */
  recent: BlockRef[];

  constructor({ from, finalized, recentBlocks }: FollowOptions) {
    this.tip = from;
    this.finalized = finalized;
    this.recent = [...recentBlocks];
  }

  push(block: BlockRef): void {
    this.tip = block;
    this.recent.push(block);
  }
  hashAt(number: bigint): string | null {
    if (this.tip?.number === number) return this.tip.hash;
    return this.recent.find((block) => block.number === number)?.hash ?? null;
  }
}

/** From the cursor to the finalized block by ranges. */
async function* catchUp(
  chain: Chain,
  position: Position,
  options: { tokens: string[]; maxRange: bigint; signal: AbortSignal },
): AsyncGenerator<ChainEvent> {
  const finalized = await readTag(chain, "finalized");
  if (finalized === null) throw new InconsistentAnswerError("the node names no finalized block");
  if (position.tip === null) {
    position.push(finalized);
    yield { type: "block", block: finalized, transfers: [] };
  } else if (finalized.number > position.tip.number) {
    const canonical = await readBlock(chain, position.tip.number);
    if (canonical !== null && canonical.hash !== position.tip.hash) yield* turnBack(chain, position);
    for await (const event of backfill(
      chain,
      { from: position.tip.number + 1n, to: finalized.number },
      options,
    )) {
      position.push(event.block);
      yield event;
    }
  }
  if (!options.signal.aborted) yield* finality(chain, position);
}

async function* advance(
  chain: Chain,
  position: Position,
  head: Header,
  tokens: string[],
): AsyncGenerator<ChainEvent> {
  let next: Header | null = head;
  while (next !== null) {
    const { tip } = position;
    if (tip === null) throw new Error("the position is set before heads are followed");
    if (next.number <= tip.number) {
      if (position.hashAt(next.number) === next.hash) return; // case 1
      if (
        position.finalized !== null &&
        next.number <= position.finalized.number &&
        tip.number - next.number > 0n
      ) {
        // A provider that lags, or a chain that lost final blocks: its word on that height decides.
        const canonical = await readBlock(chain, next.number);
        if (canonical === null || canonical.hash === position.hashAt(next.number)) return;
      }
      yield* turnBack(chain, position); // case 4
      next = await readTag(chain, "latest");
      continue;
    }
    if (next.number > tip.number + 1n) {
      // Case 3: one block at a time, so that each is held against its parent; the head comes again afterwards.
      const following = await readBlock(chain, tip.number + 1n);
      if (following === null) return;
      if (following.parentHash === tip.hash) yield* take(chain, position, following, tokens);
      else yield* turnBack(chain, position);
      continue;
    }
    if (next.parentHash !== tip.hash) {
      yield* turnBack(chain, position); // case 4
      next = await readTag(chain, "latest");
      continue;
    }
    yield* take(chain, position, next, tokens); // case 2
    return;
  }
}

async function* take(
  chain: Chain,
  position: Position,
  block: Header,
  tokens: string[],
): AsyncGenerator<ChainEvent> {
  const transfers = await readTransfersOf(chain, block, tokens);
  const { number, hash, parentHash, timestampSeconds } = block;
  const taken: BlockRef = { number, hash, parentHash, timestampSeconds };
  position.push(taken);
  yield { type: "block", block: taken, transfers };
}

/** Finds the last of our blocks that is still canonical and takes back what is above it. */
async function* turnBack(chain: Chain, position: Position): AsyncGenerator<ChainEvent> {
  const orphaned: BlockRef[] = [];
  while (position.recent.length > 0) {
    const ours = position.recent.at(-1);
    if (ours === undefined) break;
    const canonical = await readBlock(chain, ours.number);
    if (canonical?.hash === ours.hash) {
      if (orphaned.length === 0) return; // the node had not made up its mind
      position.tip = ours;
      yield { type: "reorg", commonAncestor: ours, orphaned: orphaned.reverse() };
      return;
    }
    if (position.finalized !== null && ours.number <= position.finalized.number) break;
    orphaned.push(ours);
    position.recent.pop();
  }
  throw new DeepReorgError(
    `Block ${position.finalized?.number ?? position.tip?.number} was final and is no longer in the chain.`,
  );
}

/** Yields when the finalized or safe block has grown. A node that goes back makes no progress. */
async function* finality(chain: Chain, position: Position): AsyncGenerator<ChainEvent> {
  const finalized = await readTag(chain, "finalized");
  if (finalized === null || position.tip === null) return;
  const safe = await readTag(chain, "safe");
  const known = position.hashAt(finalized.number);
  if (finalized.number > position.tip.number) return; // reached soon
  if (known !== null && known !== finalized.hash) return; // the reorg is seen at the next head
  const hasGrown = finalized.number > (position.finalized?.number ?? -1n);
  const safeHasGrown = (safe?.number ?? -1n) > (position.safe?.number ?? -1n);
  if (!hasGrown && !safeHasGrown) return;
  if (finalized.number < (position.finalized?.number ?? -1n)) return;
  position.finalized = { number: finalized.number, hash: finalized.hash };
  position.safe =
    safe !== null && safe.number <= position.tip.number
      ? { number: safe.number, hash: safe.hash }
      : position.safe;
  // One block at or below finality stays, as the floor that a reorg is measured against.
  const floor = position.recent.findLastIndex(({ number }) => number <= finalized.number);
  if (floor > 0) position.recent.splice(0, floor);
  yield { type: "finalized", block: position.finalized, safe: position.safe };
}

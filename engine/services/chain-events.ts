/** What the chain tells, written down: each event is one transaction, and each can be told twice without harm. */
import { DeepReorgError } from "../chain/errors.ts";
import { countWitnesses } from "../chain/heads.ts";
import type { BlockRef, ChainEvent, TransferLog } from "../chain/types.ts";
import { accept } from "../contract/problems.ts";
import type { Heads } from "../core/tiers.ts";
import { insertBreach } from "../db/breaches.ts";
import { orphanChainLogs } from "../db/chain-log.ts";
import { reopenAbove } from "../db/confirming.ts";
import {
  beginCursor,
  type Cursor,
  follows,
  type HandledBlock,
  type LockedCursor,
  lockCursor,
  moveHead,
  readCursor,
  readLowestUnsettled,
  setHead,
  turnHeadBack,
} from "../db/cursor.ts";
import { type Tx, together } from "../db/pool.ts";
import { creditAtOnce } from "./at-once.ts";
import { awaitMade } from "./awaiting.ts";
import type { Context } from "./context.ts";
import { choosePlayable, credit, readCreditable } from "./crediting.ts";
import { creditedTellings, tellDeposits } from "./deposit-events.ts";
import { applyFinality } from "./finality.ts";
import { type Foresight, readForesight } from "./foresight.ts";
import { tellInstructions } from "./instruction-events.ts";
import { tell } from "./outbox.ts";
import { nobody, type Parties } from "./parties.ts";
import { explainTransfers } from "./recovery.ts";
import { takeBackDepositsAbove } from "./taking-back.ts";
import { change } from "./transaction.ts";
import { followKept, keepTransfers } from "./transfers.ts";

/** Another process has handled this already, or the cursor is elsewhere: read it again and follow from there. */
export class StaleEventError extends Error {
  override readonly name = "StaleEventError";
}

/** While a recovery stands, what a block holds is to be explained before it is written down. */
class UnexplainedError extends Error {
  override readonly name = "UnexplainedError";
}

/** How an event is told. */
export interface Telling {
  /**
   * The hash of the block that the follower stands on, null before the first: an event counts only when the books stand
   * there too, so that neither a second process nor one that was overtaken writes twice or leaves a block out.
   */
  after: string | null;
  /** What was read ahead for the event's transfers, if it was. */
  foresight?: Foresight | null;
}

/**
 * Writes one event down.
 * @returns the hash of the block that the follower stands on from now
 * @throws StaleEventError when the books are elsewhere
 */
export async function applyChainEvent(
  context: Context,
  event: ChainEvent,
  { after, foresight = null }: Telling,
): Promise<string> {
  if (after === null) return await begin(context, event);
  if (event.type !== "block") return await applyWithoutTransfers(context, event, after);
  const block = handled(event.block);
  const { transfers } = event;
  if (transfers.length === 0)
    return await applyBlock(context, { block, transfers, parties: nobody }, { after });
  const { parties, outlook } = foresight ?? (await readForesight(context.pool, transfers));
  if (outlook.cursor?.head_hash === after) {
    if (await creditAtOnce(context, { block, transfers }, { parties, outlook })) return block.hash;
  }
  try {
    return await applyBlock(context, { block, transfers, parties }, { after });
  } catch (error) {
    if (!(error instanceof UnexplainedError)) throw error;
    await explainTransfers(context, transfers);
    const { parties: known } = await readForesight(context.pool, transfers);
    return await applyBlock(context, { block, transfers, parties: known }, { after, isExplained: true });
  }
}

/** Until the books have begun: what is paid in before their first block is never seen, so nobody may be told where. */
export async function awaitBooks({
  pool,
  signal,
}: {
  pool: Context["pool"];
  signal: AbortSignal;
}): Promise<void> {
  await awaitMade(() => readCursor(pool), {
    signal,
    otherwise:
      "The books haven't begun: the nodes of BASE_RPC_URLS agree on no final block yet. Look at them, and start a process with ROLE=all or ROLE=chain, which reads them.",
  });
}

/** The first block that is ever handled; everything before it is none of our business. */
async function begin(context: Context, event: ChainEvent): Promise<string> {
  if (event.type !== "block") throw new StaleEventError("the books begin with a block");
  const block = handled(event.block);
  await written(context, async (tx) => {
    if (!(await beginCursor(tx, { chainId: context.settings.chainId, block })))
      throw new StaleEventError("the books have begun");
    await setHead(tx, block);
    return block.hash;
  });
  return block.hash;
}

function applyWithoutTransfers(
  context: Context,
  event: Exclude<ChainEvent, { type: "block" }>,
  after: string,
): Promise<string> {
  return written(context, async (tx) => {
    const cursor = await lockCursor(tx);
    checkPlace(cursor, after);
    if (event.type === "reorg") return await applyReorg(context, tx, cursor, event.commonAncestor);
    await applyFinality(context, tx, cursor, headsOf(context, cursor, event));
    return cursor.head_hash;
  });
}

async function written<Value>(context: Context, work: (tx: Tx) => Promise<Value>): Promise<Value> {
  const applied = await change(context, async (tx) => accept(await work(tx)));
  if (!applied.ok) throw new Error(`the chain's event was rejected: ${applied.rejection.code}`);
  return applied.value;
}

/** @throws StaleEventError unless the books stand where the follower does */
function checkPlace(cursor: LockedCursor | null, after: string): asserts cursor is LockedCursor {
  if (cursor?.head_hash !== after)
    throw new StaleEventError(`the books are at ${cursor?.head_number ?? "no block"}, the follower isn't`);
}

const handled = ({ number, hash, parentHash, timestampSeconds }: BlockRef): HandledBlock => ({
  number,
  hash,
  parentHash,
  stampedAt: new Date(Number(timestampSeconds) * 1_000),
});

/** A block of the books as the chain's events name it. */
export const referred = ({ stampedAt, ...block }: HandledBlock): BlockRef => ({
  ...block,
  timestampSeconds: BigInt(stampedAt.getTime() / 1_000),
});

/** Where two providers must agree, finality waits until they do (`agreeing.ts`); what is `safe` moves at once. */
const headsOf = (
  { chain }: Context,
  cursor: Cursor,
  { block, safe }: Extract<ChainEvent, { type: "finalized" }>,
): { finalized: bigint; safe: bigint } => ({
  finalized: chain.quorum > 1 ? cursor.finalized_number : block.number,
  safe: safe?.number ?? block.number,
});

interface ReadBlock {
  block: HandledBlock;
  transfers: readonly TransferLog[];
  parties: Parties;
}

/**
 * The plain way. What is written together with the lock, before its answer is here, is rolled back if it is in the wrong
 * place.
 * @param isExplained while a recovery stands: the transfers were looked for among what the books have lost
 */
function applyBlock(
  context: Context,
  { block, transfers, parties }: ReadBlock,
  { after, isExplained = false }: { after: string; isExplained?: boolean },
): Promise<string> {
  return written(context, async (tx) => {
    const [cursor, , kept, creditable] = await together(tx, () => [
      lockCursor(tx),
      moveHead(tx, block, { after }),
      keepTransfers(tx, transfers, parties),
      readCreditable(tx),
    ]);
    checkPlace(cursor, after);
    if (!follows(cursor, block))
      throw new StaleEventError(`block ${block.number} doesn't follow on ${cursor.head_number}`);
    if (cursor.is_recovering && transfers.length > 0 && !isExplained) throw new UnexplainedError();
    await followKept(context, tx, kept);
    const heads: Heads = {
      latest: block.number,
      safe: cursor.safe_number,
      finalized: cursor.finalized_number,
    };
    const credited = choosePlayable(context, creditable, heads);
    await credit(tx, credited, heads);
    await tell(tx, await creditedTellings(context, credited, heads));
    const ids = new Set(credited.map(({ id }) => id));
    await tellDeposits(
      context,
      tx,
      kept.depositIds.filter((id) => !ids.has(id)),
    );
    return block.hash;
  });
}

/** Takes back everything above a block of the books; call it with the cursor locked. */
export async function applyReorg(
  context: Context,
  tx: Tx,
  cursor: Cursor,
  ancestor: BlockRef,
): Promise<string> {
  if (ancestor.number >= cursor.head_number) throw new StaleEventError("this reorg was handled");
  if (ancestor.number < cursor.finalized_number)
    throw new DeepReorgError(
      `Block ${cursor.finalized_number} was final in the books and is no longer in the chain.`,
    );
  context.log.warn(
    { from: cursor.head_number.toString(), to: ancestor.number.toString() },
    "the chain was reorganised",
  );
  const orphaned = await takeBackDepositsAbove(context, tx, ancestor.number);
  await orphanChainLogs(tx, ancestor.number);
  const reopened = await reopenAbove(tx, ancestor.number);
  await turnHeadBack(tx, handled(ancestor));
  await tellDeposits(context, tx, orphaned);
  await tellInstructions(context, tx, reopened);
  return ancestor.hash;
}

export const deepReorg = "reorg below finalized";
/** A chain that took back what it had called final: nothing leaves until a person has looked. */
export async function raiseDeepReorg(context: Context, reason: string): Promise<void> {
  await insertBreach(context.pool, { invariant: deepReorg, detail: reason });
  context.log.fatal(reason);
}

/** Whether as many nodes as must agree hold all that is final in the books: silence is no. */
export async function isFinalInChain({ pool, chain }: Context): Promise<boolean> {
  const block = await readLowestUnsettled(pool);
  return block === null || (await countWitnesses(chain, block)) >= chain.quorum;
}

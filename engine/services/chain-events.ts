/** What the chain tells, written down: each event is one transaction, and each can be told twice without harm. */
import { DeepReorgError } from "../chain/errors.ts";
import type { BlockRef, ChainEvent } from "../chain/types.ts";
import { accept } from "../contract/problems.ts";
import type { Heads } from "../core/tiers.ts";
import { insertBreach } from "../db/breaches.ts";
import { orphanChainLogs } from "../db/chain-log.ts";
import { reopenAbove } from "../db/confirming.ts";
import {
  beginCursor,
  type Cursor,
  type HandledBlock,
  type LockedCursor,
  lockCursor,
  moveHead,
  setHead,
  turnHeadBack,
} from "../db/cursor.ts";
import { isUnwritten } from "../db/errors.ts";
import { type Tx, together } from "../db/pool.ts";
import type { Context } from "./context.ts";
import {
  type Crediting,
  choosePlayable,
  credit,
  openAccountsFor,
  planCrediting,
  readCreditable,
} from "./crediting.ts";
import { tellCredited, tellDeposits } from "./deposit-events.ts";
import { applyFinality } from "./finality.ts";
import { tellInstructions } from "./instruction-events.ts";
import { findParties, type Parties } from "./parties.ts";
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
  /** Of the event's transfers, if they were read ahead. */
  parties?: Parties | null;
}

/**
 * Writes one event down.
 * @returns the hash of the block that the follower stands on from now
 * @throws StaleEventError when the books are elsewhere
 */
export async function applyChainEvent(
  context: Context,
  event: ChainEvent,
  { after, parties = null }: Telling,
): Promise<string> {
  if (after === null) return await begin(context, event);
  if (event.type !== "block") return await applyWithoutTransfers(context, event, after);
  let prepared: Prepared = { after, parties, isExplained: false, opensAccounts: false };
  for (;;) {
    try {
      return await applyBlock(context, event, prepared);
    } catch (error) {
      if (error instanceof UnexplainedError && !prepared.isExplained) {
        await explainTransfers(context, event.transfers);
        prepared = { ...prepared, parties: null, isExplained: true };
      } else if (isUnwritten(error) && !prepared.opensAccounts) {
        prepared = { ...prepared, opensAccounts: true };
      } else throw error;
    }
  }
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

async function written<Value>(
  context: Context,
  work: (tx: Tx) => Promise<Value>,
  atEnd?: (tx: Tx, value: Value) => Promise<unknown>[],
): Promise<Value> {
  const applied = await change(context, async (tx) => accept(await work(tx)), atEnd);
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

/** Where two providers must agree, finality waits until they do (`agreeing.ts`); what is `safe` moves at once. */
const headsOf = (
  { chain }: Context,
  cursor: Cursor,
  { block, safe }: Extract<ChainEvent, { type: "finalized" }>,
): { finalized: bigint; safe: bigint } => ({
  finalized: chain.quorum > 1 ? cursor.finalized_number : block.number,
  safe: safe?.number ?? block.number,
});

interface Prepared {
  after: string;
  parties: Parties | null;
  /** While a recovery stands: the transfers were looked for among what the books have lost. */
  isExplained: boolean;
  /** The deposits' accounts are opened first. */
  opensAccounts: boolean;
}

/**
 * In two packets. The first locks the cursor, writes down what there is to see and reads what may be credited; what it
 * wrote in the wrong place is rolled back. The second credits, tells and commits.
 */
async function applyBlock(
  context: Context,
  { block, transfers }: Extract<ChainEvent, { type: "block" }>,
  { after, parties, isExplained, opensAccounts }: Prepared,
): Promise<string> {
  const between = parties ?? (await findParties(context.pool, transfers));
  const observe = async (tx: Tx): Promise<Crediting> => {
    const [cursor, , kept, creditable] = await together(tx, () => [
      lockCursor(tx),
      moveHead(tx, handled(block), { after }),
      keepTransfers(tx, transfers, between),
      readCreditable(tx),
    ]);
    checkPlace(cursor, after);
    // Below finality, blocks without transfers are left out; a neighbour must be a child.
    const isNext = block.number === cursor.head_number + 1n;
    if (block.number <= cursor.head_number || (isNext && block.parentHash !== cursor.head_hash))
      throw new StaleEventError(`block ${block.number} doesn't follow on ${cursor.head_number}`);
    if (cursor.is_recovering && transfers.length > 0 && !isExplained) throw new UnexplainedError();
    await followKept(context, tx, kept);
    const heads: Heads = {
      latest: block.number,
      safe: cursor.safe_number,
      finalized: cursor.finalized_number,
    };
    const credited = choosePlayable(context, creditable, heads);
    const crediting = await planCrediting(tx, credited, heads);
    if (opensAccounts) await openAccountsFor(tx, crediting);
    await tellCredited(context, tx, credited, heads);
    const ids = new Set(crediting.depositIds);
    await tellDeposits(
      context,
      tx,
      kept.depositIds.filter((id) => !ids.has(id)),
    );
    return crediting;
  };
  await written(context, observe, credit);
  return block.hash;
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

/** A chain that took back what it had called final: nothing leaves until a person has looked. */
export async function raiseDeepReorg(context: Context, reason: string): Promise<void> {
  await insertBreach(context.pool, { invariant: "reorg below finalized", detail: reason });
  context.log.fatal(reason);
}

/** What the chain tells, written down: each event is one transaction, and each can be told twice without harm. */
import { DeepReorgError } from "../chain/errors.ts";
import type { BlockRef, ChainEvent, TransferLog } from "../chain/types.ts";
import { accept } from "../contract/problems.ts";
import type { Heads } from "../core/tiers.ts";
import { insertBreach } from "../db/breaches.ts";
import { orphanChainLogs } from "../db/chain-log.ts";
import {
  beginCursor,
  type Cursor,
  type HandledBlock,
  type LockedCursor,
  lockCursor,
  moveHead,
  turnHeadBack,
} from "../db/cursor.ts";
import { type Tx, together } from "../db/pool.ts";
import { reopenAbove } from "../db/sending.ts";
import type { Context } from "./context.ts";
import { choosePlayable, credit, readCreditable } from "./crediting.ts";
import { tellCredited, tellDeposits } from "./deposit-events.ts";
import { applyFinality } from "./finality.ts";
import { tellInstructions } from "./instruction-events.ts";
import { explainTransfers } from "./recovery.ts";
import { takeBackDepositsAbove } from "./taking-back.ts";
import { change } from "./transaction.ts";
import { keepTransfers, type Parties, readParties } from "./transfers.ts";

/** Another process has handled this already, or the cursor is elsewhere: read it again and follow from there. */
export class StaleEventError extends Error {
  override readonly name = "StaleEventError";
}

/** While a recovery stands, what a block holds is to be explained before it is written down. */
class UnexplainedError extends Error {
  override readonly name = "UnexplainedError";
}

/**
 * Writes one event down.
 * @param after the hash of the block that the follower stands on, null before the first: an event counts only when the
 * books stand there too, so that neither a second process nor one that was overtaken writes twice or leaves a block out
 * @returns the hash of the block that the follower stands on from now
 * @throws StaleEventError when the books are elsewhere
 */
export async function applyChainEvent(
  context: Context,
  event: ChainEvent,
  { after }: { after: string | null },
): Promise<string> {
  try {
    return await apply(context, event, { after, isExplained: false });
  } catch (error) {
    if (!(error instanceof UnexplainedError) || event.type !== "block") throw error;
    await explainTransfers(context, event.transfers);
    return await apply(context, event, { after, isExplained: true });
  }
}

async function apply(
  context: Context,
  event: ChainEvent,
  { after, isExplained }: { after: string | null; isExplained: boolean },
): Promise<string> {
  const transfers = event.type === "block" ? event.transfers : [];
  const applied = await change(context, async (tx) => {
    const [cursor, parties] = await together(tx, () => [lockCursor(tx), readParties(tx, transfers)]);
    if ((cursor?.head_hash ?? null) !== after)
      throw new StaleEventError(`the books are at ${cursor?.head_number ?? "no block"}, the follower isn't`);
    if (cursor === null) return accept(await begin(context, tx, event));
    if (cursor.is_recovering && transfers.length > 0 && !isExplained) throw new UnexplainedError();
    switch (event.type) {
      case "block":
        return accept(await applyBlock(context, tx, cursor, { ...event, parties }));
      case "reorg":
        return accept(await applyReorg(context, tx, cursor, event.commonAncestor));
      case "finalized":
        await applyFinality(context, tx, cursor, headsOf(context, cursor, event));
        return accept(cursor.head_hash);
    }
  });
  if (!applied.ok) throw new Error(`the chain's event was rejected: ${applied.rejection.code}`);
  return applied.value;
}

/** The first block that is ever handled; everything before it is none of our business. */
async function begin(context: Context, tx: Tx, event: ChainEvent): Promise<string> {
  if (event.type !== "block") throw new StaleEventError("the books begin with a block");
  const block = handled(event.block);
  if (!(await beginCursor(tx, { chainId: context.settings.chainId, block })))
    throw new StaleEventError("another process began");
  await moveHead(tx, block);
  return block.hash;
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

async function applyBlock(
  context: Context,
  tx: Tx,
  cursor: LockedCursor,
  { block, transfers, parties }: { block: BlockRef; transfers: TransferLog[]; parties: Parties },
): Promise<string> {
  // Below finality, blocks without transfers are left out; a neighbour must be a child.
  const isNext = block.number === cursor.head_number + 1n;
  if (block.number <= cursor.head_number || (isNext && block.parentHash !== cursor.head_hash))
    throw new StaleEventError(`block ${block.number} doesn't follow on ${cursor.head_number}`);
  const heads: Heads = {
    latest: block.number,
    safe: cursor.safe_number,
    finalized: cursor.finalized_number,
  };
  const [, seen, creditable] = await together(tx, () => [
    moveHead(tx, handled(block)),
    keepTransfers(context, tx, transfers, parties),
    readCreditable(tx, heads),
  ]);
  const credited = choosePlayable(context, creditable, heads);
  const ids = new Set(credited.map(({ id }) => id));
  await together(tx, () => [
    credit(tx, credited, heads),
    tellCredited(context, tx, credited, heads),
    tellDeposits(
      context,
      tx,
      seen.filter((id) => !ids.has(id)),
    ),
  ]);
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

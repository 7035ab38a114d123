/** What the chain tells, written down: each event is one transaction, and each can be told twice without harm. */
import type { BlockRef, ChainEvent, TransferLog } from "../chain/types.ts";
import { type Attribution, attribute } from "../core/attribution.ts";
import { insertBreach } from "../db/breaches.ts";
import { type Attempted, keepChainLogs, orphanChainLogs, readAttempts, readOwners } from "../db/chain-log.ts";
import {
  beginCursor,
  type Cursor,
  type HandledBlock,
  lockCursor,
  moveFinality,
  moveHead,
  turnHeadBack,
} from "../db/cursor.ts";
import { finalizeDeposits, keepDeposits, type NewDeposit, trimExposures } from "../db/deposits.ts";
import { type Tx, transaction } from "../db/pool.ts";
import { finalizeMined, freezeWallet, markMined, releaseCollections, reopenAbove } from "../db/sending.ts";
import { findWallets, type WalletRow } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { creditWhatIsPlayable, takeBackDepositsAbove } from "./crediting.ts";
import { tellDeposits } from "./deposit-events.ts";
import { tellInstructions } from "./instruction-events.ts";

/** Another process has handled this already, or the cursor is elsewhere: read it again and follow from there. */
export class StaleEventError extends Error {
  override readonly name = "StaleEventError";
}

/** @throws StaleEventError when the cursor isn't where this event follows on. */
export async function applyChainEvent(context: Context, event: ChainEvent): Promise<void> {
  await transaction(context.pool, async (tx) => {
    const cursor = await lockCursor(tx);
    switch (event.type) {
      case "block":
        return applyBlock(context, tx, cursor, event.block, event.transfers);
      case "reorg":
        return applyReorg(context, tx, cursor, event.commonAncestor);
      case "finalized":
        return applyFinality(context, tx, cursor, event);
    }
  });
  context.nudge();
}

const handled = ({ number, hash, parentHash, timestampSeconds }: BlockRef): HandledBlock => ({
  number,
  hash,
  parentHash,
  stampedAt: new Date(Number(timestampSeconds) * 1_000),
});

async function applyBlock(
  context: Context,
  tx: Tx,
  cursor: Cursor | null,
  block: BlockRef,
  transfers: TransferLog[],
): Promise<void> {
  if (cursor === null) {
    if (!(await beginCursor(tx, { chainId: context.settings.chainId, block: handled(block) })))
      throw new StaleEventError("another process began");
    await moveHead(tx, handled(block));
    return;
  }
  const followsOn = block.parentHash === cursor.head_hash && block.number === cursor.head_number + 1n;
  // Below finality, blocks without transfers are left out.
  const isFurtherOn = block.number > cursor.head_number + 1n;
  if (!followsOn && !isFurtherOn)
    throw new StaleEventError(`block ${block.number} doesn't follow on ${cursor.head_number}`);
  await moveHead(tx, handled(block));
  if (transfers.length > 0) await keepTransfers(context, tx, transfers);
  await creditWhatIsPlayable(context, tx, {
    latest: block.number,
    safe: cursor.safe_number,
    finalized: cursor.finalized_number,
  });
}

async function keepTransfers(context: Context, tx: Tx, transfers: TransferLog[]): Promise<void> {
  const wallets = await findWallets(tx, [...new Set(transfers.flatMap(({ from, to }) => [from, to]))]);
  const ours = transfers.filter(
    ({ from, to, amount }) => amount > 0n && (wallets.has(from) || wallets.has(to)),
  );
  if (ours.length === 0) return;
  const attempts = await readAttempts(tx, [...new Set(ours.map(({ txHash }) => txHash))]);
  const owners = await readOwners(tx, [...new Set(ours.map(({ from }) => from))]);
  const read = ours.map((log) => {
    const attempted = attempts.get(log.txHash);
    const attribution = attribute(log, {
      tokenListed: true,
      recipientWallet: custody(wallets.get(log.to)),
      senderWallet: custody(wallets.get(log.from)),
      senderOwnerPlayerId: owners.get(log.from) ?? null,
      sentByUs: attempted !== undefined && isWhatWasAsked(log, attempted),
    });
    return { log, attribution, sender: wallets.get(log.from), recipient: wallets.get(log.to) };
  });

  const kept = await keepChainLogs(
    tx,
    read.map(({ log, attribution, sender, recipient }) => ({
      ...log,
      sender: log.from,
      recipient: log.to,
      stampedAt: new Date(Number(log.timestampSeconds) * 1_000),
      kind: kindOf(attribution),
      senderWalletId: sender?.id ?? null,
      recipientWalletId: recipient?.id ?? null,
    })),
  );
  const ids = new Map(kept.map((row) => [identity(row.tx_hash, row.token, row.ordinal), row.id]));
  const fresh = read.flatMap((one) => {
    const id = ids.get(identity(one.log.txHash, one.log.token, one.log.ordinal));
    return id === undefined ? [] : [{ ...one, id }];
  });

  const deposits = await keepDeposits(tx, fresh.flatMap(depositOf));
  const mined = fresh.flatMap(({ log, attribution }) => {
    const attempted = attempts.get(log.txHash);
    if (attempted === undefined || (attribution.to !== "move" && attribution.to !== "outgoing")) return [];
    return [{ chainTxId: attempted.chain_tx_id, hash: log.txHash, blockNumber: log.blockNumber }];
  });
  await tellInstructions(context, tx, await markMined(tx, mined));
  await tellDeposits(context, tx, deposits);
  for (const { log, attribution, sender } of fresh) {
    if (attribution.to === "stray" && sender !== undefined) await raiseStray(context, tx, log, sender);
  }
}

const identity = (txHash: string, token: string, ordinal: number): string => `${txHash} ${token} ${ordinal}`;

const custody = (wallet: WalletRow | undefined) =>
  wallet === undefined
    ? null
    : { id: wallet.id, purpose: wallet.purpose, playerId: wallet.player_id, gameId: wallet.game_id };

/** Paid means the exact transfer of one of our attempts, nothing less. */
const isWhatWasAsked = (log: TransferLog, asked: Attempted): boolean =>
  log.token === asked.token &&
  log.from === asked.source &&
  log.to === asked.destination &&
  log.amount === asked.amount;

function kindOf(attribution: Attribution): "deposit" | "move" | "outgoing" | "stray" {
  if (attribution.to === "move" || attribution.to === "outgoing" || attribution.to === "stray")
    return attribution.to;
  return "deposit";
}

function depositOf({
  id,
  log,
  attribution,
  recipient,
}: {
  id: string;
  log: TransferLog;
  attribution: Attribution;
  recipient: WalletRow | undefined;
}): NewDeposit[] {
  if (recipient === undefined || (attribution.to !== "player" && attribution.to !== "suspense")) return [];
  return [
    {
      chainLogId: id,
      token: log.token,
      amount: log.amount,
      walletId: recipient.id,
      playerId: attribution.to === "player" ? attribution.playerId : null,
      suspenseCause: attribution.to === "suspense" ? attribution.cause : null,
    },
  ];
}

/** Money left by a hand that isn't ours: that wallet is frozen and everything that would leave waits. */
async function raiseStray(context: Context, tx: Tx, log: TransferLog, wallet: WalletRow): Promise<void> {
  const detail = `${log.amount} of ${log.token} left wallet ${wallet.address} in ${log.txHash}, which we didn't send`;
  await freezeWallet(tx, { walletId: wallet.id, reason: `stray transfer ${log.txHash}` });
  await insertBreach(tx, { invariant: "stray transfer", detail });
  context.log.fatal({ txHash: log.txHash, wallet: wallet.address }, detail);
}

async function applyReorg(
  context: Context,
  tx: Tx,
  cursor: Cursor | null,
  ancestor: BlockRef,
): Promise<void> {
  if (cursor === null || ancestor.number >= cursor.head_number)
    throw new StaleEventError("this reorg was handled");
  if (ancestor.number < cursor.finalized_number)
    throw new Error(`a reorg below the finalized block ${cursor.finalized_number} reached the books`);
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
}

async function applyFinality(
  context: Context,
  tx: Tx,
  cursor: Cursor | null,
  event: Extract<ChainEvent, { type: "finalized" }>,
): Promise<void> {
  if (cursor === null) throw new StaleEventError("there is no cursor yet");
  const finalized = event.block.number < cursor.head_number ? event.block.number : cursor.head_number;
  await moveFinality(tx, { finalized, safe: event.safe?.number ?? finalized });
  await creditWhatIsPlayable(context, tx, {
    latest: cursor.head_number,
    safe: event.safe?.number ?? finalized,
    finalized,
  });
  const deposits = await finalizeDeposits(tx, finalized);
  await trimExposures(tx, finalized);
  await releaseCollections(tx, { finalized, minima: context.settings.collectMinimum });
  await tellInstructions(context, tx, await finalizeMined(tx, finalized));
  await tellDeposits(context, tx, deposits);
}

/** A chain that took back what it had called final: nothing leaves until a person has looked. */
export async function raiseDeepReorg(context: Context, reason: string): Promise<void> {
  await insertBreach(context.pool, { invariant: "reorg below finalized", detail: reason });
  context.log.fatal(reason);
}

/** What the chain tells, written down: each event is one transaction, and each can be told twice without harm. */
import { DeepReorgError } from "../chain/errors.ts";
import type { BlockRef, ChainEvent, TransferLog } from "../chain/types.ts";
import { accept } from "../contract/problems.ts";
import { type Attribution, attribute } from "../core/attribution.ts";
import { insertBreach } from "../db/breaches.ts";
import { keepChainLogs, orphanChainLogs, readOwners } from "../db/chain-log.ts";
import {
  beginCursor,
  type Cursor,
  type HandledBlock,
  lockCursor,
  moveHead,
  turnHeadBack,
} from "../db/cursor.ts";
import { keepDeposits, type NewDeposit } from "../db/deposits.ts";
import { type Payment, readAttempts } from "../db/payments.ts";
import { type Tx, together } from "../db/pool.ts";
import { freezeWallet, markMined, reopenAbove } from "../db/sending.ts";
import { findWallets, type WalletRow } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { creditWhatIsPlayable } from "./crediting.ts";
import { tellDeposits } from "./deposit-events.ts";
import { applyFinality } from "./finality.ts";
import { tellInstructions } from "./instruction-events.ts";
import { countPaid, isPaidBy } from "./paid.ts";
import { takeBackDepositsAbove } from "./taking-back.ts";
import { change } from "./transaction.ts";

/** Another process has handled this already, or the cursor is elsewhere: read it again and follow from there. */
export class StaleEventError extends Error {
  override readonly name = "StaleEventError";
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
  const applied = await change(context, async (tx) => {
    const cursor = await lockCursor(tx);
    if ((cursor?.head_hash ?? null) !== after)
      throw new StaleEventError(`the books are at ${cursor?.head_number ?? "no block"}, the follower isn't`);
    if (cursor === null) return accept(await begin(context, tx, event));
    switch (event.type) {
      case "block":
        return accept(await applyBlock(context, tx, cursor, event.block, event.transfers));
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
  cursor: Cursor,
  block: BlockRef,
  transfers: TransferLog[],
): Promise<string> {
  // Below finality, blocks without transfers are left out; a neighbour must be a child.
  const isNext = block.number === cursor.head_number + 1n;
  if (block.number <= cursor.head_number || (isNext && block.parentHash !== cursor.head_hash))
    throw new StaleEventError(`block ${block.number} doesn't follow on ${cursor.head_number}`);
  const [, wallets] = await together(tx, () => [
    moveHead(tx, handled(block)),
    findWallets(tx, addressesOf(transfers)),
  ]);
  const seen = await keepTransfersOf(context, tx, transfers, wallets);
  const credited = await creditWhatIsPlayable(context, tx, {
    latest: block.number,
    safe: cursor.safe_number,
    finalized: cursor.finalized_number,
  });
  await tellDeposits(context, tx, [...new Set([...seen, ...credited])]);
  return block.hash;
}

/** Answers the deposits among them. Those that are known already change nothing. */
export const keepTransfers = async (context: Context, tx: Tx, transfers: TransferLog[]): Promise<string[]> =>
  keepTransfersOf(context, tx, transfers, await findWallets(tx, addressesOf(transfers)));

const addressesOf = (transfers: TransferLog[]): string[] => [
  ...new Set(transfers.flatMap(({ from, to }) => [from, to])),
];

async function keepTransfersOf(
  context: Context,
  tx: Tx,
  transfers: TransferLog[],
  wallets: Map<string, WalletRow>,
): Promise<string[]> {
  const ours = transfers.filter(
    ({ from, to, amount }) => amount > 0n && (wallets.has(from) || wallets.has(to)),
  );
  if (ours.length === 0) return [];
  const [attempts, owners] = await together(tx, () => [
    readAttempts(tx, [...new Set(ours.map(({ txHash }) => txHash))]),
    readOwners(tx, [...new Set(ours.map(({ from }) => from))]),
  ]);
  const read = ours.map((log) => {
    const payments = attempts.get(log.txHash) ?? [];
    const attribution = attribute(log, {
      tokenListed: true,
      recipientWallet: custody(wallets.get(log.to)),
      senderWallet: custody(wallets.get(log.from)),
      senderOwnerPlayerId: owners.get(log.from) ?? null,
      sentByUs: payments.some((payment) => isPaidBy(payment, log)),
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
  const freshLogs = fresh.map(({ log }) => log);
  await tellInstructions(context, tx, await markMined(tx, minedBy(attempts, freshLogs, ours)));
  for (const { log, attribution, sender } of fresh) {
    if (attribution.to === "stray" && sender !== undefined) await raiseStray(context, tx, log, sender);
  }
  return deposits;
}

/** The transactions of ours that all payments of are in the logs, and one of them newly. */
function minedBy(attempts: ReadonlyMap<string, Payment[]>, fresh: TransferLog[], all: TransferLog[]) {
  const news = new Map(fresh.map((log) => [log.txHash, log.blockNumber]));
  return [...attempts].flatMap(([hash, payments]) => {
    const blockNumber = news.get(hash);
    const [first] = payments;
    if (blockNumber === undefined || first === undefined) return [];
    const logs = all.filter(({ txHash }) => txHash === hash);
    return countPaid(payments, logs) < payments.length
      ? []
      : [{ chainTxId: first.chain_tx_id, hash, blockNumber }];
  });
}

const identity = (txHash: string, token: string, ordinal: number): string => `${txHash} ${token} ${ordinal}`;

const custody = (wallet: WalletRow | undefined) =>
  wallet === undefined
    ? null
    : { id: wallet.id, purpose: wallet.purpose, playerId: wallet.player_id, gameId: wallet.game_id };

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

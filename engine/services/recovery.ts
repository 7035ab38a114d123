/**
 * Books that are older than the world: a restored backup pays again what was paid since, and gives one player's address
 * to another. While a recovery stands nothing is signed or sent; the chain is read again from where the books stop, and
 * each transaction of ours that is found there is put to the instruction that it paid (`adopting`). What nothing in the
 * books asks for freezes its wallet and stays in sight. An operator ends it, when all is explained and final.
 */
import { deploymentProxy } from "../../wallets/executor.ts";
import { readBalances, readNonce } from "../chain/balances.ts";
import { InconsistentAnswerError } from "../chain/errors.ts";
import { readTag } from "../chain/heads.ts";
import { readAgreedReceipt } from "../chain/receipts.ts";
import { findSpender, readPendingNonce, readTransaction } from "../chain/transactions.ts";
import type { TransferLog } from "../chain/types.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { explainStray } from "../db/adopting.ts";
import { insertBreach, readStandingBreaches } from "../db/breaches.ts";
import { markMined } from "../db/confirming.ts";
import { lockCursor, readCursor } from "../db/cursor.ts";
import { readFrozenWallets } from "../db/frozen.ts";
import { readAttempts } from "../db/payments.ts";
import { transaction } from "../db/pool.ts";
import {
  beginRecovery as begin,
  countUnderWay,
  endRecovery as end,
  indexesAhead,
  type Recovery,
  readLastAddresses,
  readMissingNonces,
  readNextIndex,
  readRecovery,
  readSpendingWallets,
  readStrays,
  readUnsettledNonces,
  retireAhead,
  type SpendingWallet,
  setUntilBlock,
} from "../db/recovery.ts";
import { findWallets, freezeWallet } from "../db/wallets.ts";
import { adopt, adoptInVain } from "./adopting.ts";
import { actorName, recordAct } from "./audit.ts";
import { checkBooks } from "./books.ts";
import { keepGamesOpen, restartClocks } from "./clocks.ts";
import type { Context } from "./context.ts";
import { hasReceipt } from "./foreign-nonces.ts";
import { knownTokens } from "./tokens.ts";
import { change } from "./transaction.ts";
import { addressWallets } from "./wallets.ts";

/** Looked at when a process starts, beside the wallets that have sent: an address that nobody was given holds nothing. */
const unissuedLookedAt = 20;
const walletsLookedAt = 200;
const askedAtOnce = 20;
const mostListed = 100;

/**
 * At the start of a process with keys, before anybody is given an address: whether the chain knows of more than the
 * books. Also finds the addresses that may have been handed out since.
 */
export async function recoverIfOld(context: Context): Promise<void> {
  const { pool, log } = context;
  if ((await readRecovery(pool)) === null) {
    const cause = (await findYoungerNonce(context)) ?? (await findYoungerWallet(context));
    if (cause === null) return;
    await transaction(pool, (tx) => begin(tx, { cause }));
  }
  const recovery = await readRecovery(pool);
  log.fatal(
    { cause: recovery?.cause },
    "the books may be older than the world: nothing leaves until an operator ends the recovery",
  );
  await findWalletsAhead(context);
}

/** The chain is asked first: what is sent meanwhile is in the books before it is on the chain. */
async function findYoungerNonce(context: Context): Promise<string | null> {
  const asked = await readSpendingWallets(context.pool, walletsLookedAt);
  const spent = await inGroups(asked, ({ address }) => readNonce(context.chain, address, "latest"));
  const known = new Map((await readSpendingWallets(context.pool)).map((row) => [row.id, row.next_nonce]));
  const at = asked.findIndex(({ id }, index) => (spent[index] ?? 0n) > (known.get(id) ?? 0n));
  const wallet = asked[at];
  if (wallet === undefined) return null;
  return `wallet ${wallet.address} has sent ${spent[at]} transactions, the books know of ${known.get(wallet.id)}`;
}

async function findYoungerWallet(context: Context): Promise<string | null> {
  for (const purpose of ["deposit", "escrow"] as const) {
    const first = await readNextIndex(context.pool, purpose);
    const indexes = Array.from({ length: unissuedLookedAt }, (_, place) => first + place);
    const addresses = await Promise.all(indexes.map((index) => context.signer.addressOf({ purpose, index })));
    const alive = await findMoney(context, addresses);
    // Another process may have issued it meanwhile.
    if (alive !== null && !(await findWallets(context.pool, [alive])).has(alive))
      return `${purpose} wallet ${alive} holds money, and the books have never issued it`;
  }
  return null;
}

/** A token that doesn't answer any more counts as none: it mustn't keep the others from being paid. */
async function findMoney(context: Context, addresses: string[]): Promise<string | null> {
  const tokens = [...(await knownTokens(context.pool)).keys()];
  const asked = addresses.flatMap((address) => tokens.map((token) => ({ address, token })));
  const held = await readBalances(context.chain, asked, "latest");
  const silent = new Set(asked.filter((_, index) => held[index] === null).map(({ token }) => token));
  if (silent.size > 0) context.log.error({ tokens: [...silent] }, "a token doesn't say what wallets hold");
  if (silent.size > 0 && silent.size === tokens.length)
    throw new InconsistentAnswerError("no token says what wallets hold");
  return asked.find((_, index) => (held[index] ?? 0n) > 0n)?.address ?? null;
}

/** As long as the last addresses of those taken out of use show signs of life, there may be more behind them. */
async function findWalletsAhead(context: Context): Promise<void> {
  for (const purpose of ["deposit", "escrow"] as const) {
    for (;;) {
      await addressWallets(context);
      const last = await readLastAddresses(context.pool, { purpose, limit: indexesAhead / 2 });
      const nonces = await inGroups(last, (address) => readNonce(context.chain, address, "latest"));
      if (nonces.every((nonce) => nonce === 0n) && (await findMoney(context, last)) === null) break;
      await transaction(context.pool, (tx) => retireAhead(tx, purpose));
    }
  }
}

/**
 * While a recovery stands, before a block is written down: finds out which instruction each transfer out of our wallets
 * paid that the books don't know, as they stand at that block. Afterwards the block is written like any other.
 */
export async function explainTransfers(context: Context, transfers: readonly TransferLog[]): Promise<void> {
  const wallets = await findWallets(context.pool, [...new Set(transfers.map(({ from }) => from))]);
  const ours = transfers.filter(({ from, amount }) => amount > 0n && wallets.has(from));
  const hashes = [...new Set(ours.map(({ txHash }) => txHash))];
  const known = await readAttempts(context.pool, hashes);
  for (const hash of hashes) if (!known.has(hash)) await adoptHash(context, hash);
}

/** Answers the transaction's row when the books have a place for it. */
async function adoptHash(context: Context, hash: string): Promise<string | null> {
  const found = await readTransaction(context.chain, hash);
  return found === null ? null : adopt(context, found);
}

/** One look at everything that isn't explained yet; the chain's work calls it again and again while a recovery stands. */
export async function recoverRound(context: Context): Promise<void> {
  const { pool, chain } = context;
  const recovery = await readRecovery(pool);
  if (recovery === null) return;
  await change(context, async (tx) => accept(await keepGamesOpen(context, tx, recovery)));
  const head = await readTag(chain, "latest");
  if (head === null) return;
  if (recovery.until_block === null) await setUntilBlock(pool, head.number);
  await explainStrays(context);
  const cursor = await readCursor(pool);
  if (cursor === null || cursor.head_number < (recovery.until_block ?? head.number)) return;
  for (const wallet of await readSpendingWallets(pool))
    await explainNonces(context, wallet, { after: recovery.from_block, upTo: head.number });
}

/** What nothing asked for when it was seen may be asked for by now, such as the payout of a game that is settled anew. */
async function explainStrays(context: Context): Promise<void> {
  for (const stray of await readStrays(context.pool, mostListed)) {
    const chainTxId = await adoptHash(context, stray.tx_hash);
    if (chainTxId === null) continue;
    await transaction(context.pool, async (tx) => {
      // With the cursor locked no reorg is handled meanwhile; one that was handled since has taken the log elsewhere.
      await lockCursor(tx);
      const isExplained = await explainStray(tx, {
        ...{ logId: stray.id, txHash: stray.tx_hash, walletId: stray.sender_wallet_id },
        ...{ blockNumber: stray.block_number, at: new Date(context.clock()) },
      });
      if (!isExplained) return;
      await markMined(tx, [{ chainTxId, hash: stray.tx_hash, blockNumber: stray.block_number }]);
    });
  }
}

/** Transactions without a transfer leave no log: ether for gas, and what failed. They are found by their nonces. */
async function explainNonces(
  context: Context,
  wallet: SpendingWallet,
  range: { after: bigint; upTo: bigint },
): Promise<void> {
  const { id: walletId, address } = wallet;
  const spent = await readNonce(context.chain, address, range.upTo);
  const missing = await readMissingNonces(context.pool, { walletId, spent, limit: mostListed });
  const unsettled = await readUnsettledNonces(context.pool, { walletId, spent });
  for (const { nonce, hashes } of unsettled) if (!(await hasReceipt(context, hashes))) missing.push(nonce);
  const strays = new Set((await readStrays(context.pool, mostListed)).map(({ tx_hash }) => tx_hash));
  for (const nonce of missing) {
    const hash = await findSpender(context.chain, { address, nonce, ...range });
    if (hash !== null && (strays.has(hash) || (await explainSpender(context, hash)))) continue;
    await raiseUnexplained(context, wallet, { nonce, hash });
  }
}

/** Whether it is explained, or waits for its block to be final. */
async function explainSpender(context: Context, hash: string): Promise<boolean> {
  const { chain, pool } = context;
  const found = await readTransaction(chain, hash);
  if (found === null) return false;
  const receipt = await readAgreedReceipt(chain, hash, [...(await knownTokens(pool)).keys()]);
  if (!("found" in receipt) || !receipt.found) return true;
  const needsNoLog = found.data === "0x" || found.to === deploymentProxy;
  const hasMoved = receipt.succeeded && (needsNoLog || receipt.transfers.length > 0);
  if (hasMoved) return (await adopt(context, found)) !== null;
  const finalized = (await readCursor(pool))?.finalized_number ?? 0n;
  if (receipt.blockNumber > finalized) return true;
  return (await adoptInVain(context, found, receipt.blockNumber)) !== null;
}

async function raiseUnexplained(
  context: Context,
  { id: walletId, address }: SpendingWallet,
  { nonce, hash }: { nonce: bigint; hash: string | null },
): Promise<void> {
  const detail = `nonce ${nonce} of wallet ${address} was spent by ${hash ?? "a transaction that wasn't found"}, which the books don't explain`;
  await transaction(context.pool, async (tx) => {
    await freezeWallet(tx, { walletId, reason: detail });
    if (await insertBreach(tx, { invariant: "foreign nonce", detail })) context.log.fatal(detail);
  });
}

export interface RecoveryReport {
  recovery: Recovery;
  /** Why it can't end yet, a sentence each; nothing when it can. */
  open: string[];
}

/** What stands between the books and the world; null when no recovery stands. */
export async function reportRecovery(context: Context): Promise<RecoveryReport | null> {
  const { pool } = context;
  const recovery = await readRecovery(pool);
  if (recovery === null) return null;
  const open = [...(await findUnread(context, recovery)), ...(await findUnexplained(context))];
  if (open.length === 0) open.push(...(await findUnknownNonces(context)));
  if (open.length === 0) {
    const broken = (await checkBooks(context)).filter(({ ok }) => !ok);
    open.push(
      ...broken.map(({ number, name, detail }) => `The books don't balance: ${number}. ${name}: ${detail}`),
    );
  }
  return { recovery, open };
}

async function findUnread({ pool }: Context, { until_block: until }: Recovery): Promise<string[]> {
  const cursor = await readCursor(pool);
  const at = cursor?.finalized_number ?? 0n;
  if (until === null) return ["The chain isn't read yet: start the engine, which reads it again."];
  if (at < until) return [`The chain is read and final up to block ${at}; it must be up to ${until}.`];
  const underWay = await countUnderWay(pool);
  return underWay === 0 ? [] : [`${underWay} transactions of ours aren't final yet.`];
}

async function findUnexplained({ pool }: Context): Promise<string[]> {
  const strays = await readStrays(pool, mostListed);
  const breaches = await readStandingBreaches(pool);
  const frozen = await readFrozenWallets(pool, mostListed);
  return [
    ...strays.map(
      (one) =>
        `${one.amount} of ${one.token} left ${one.sender} for ${one.recipient} in ${one.tx_hash}: nothing in the books asked for it.`,
    ),
    ...breaches.map(({ invariant, detail }) => `A breach stands: ${invariant}: ${detail}`),
    ...frozen.map(({ address, frozen_reason: reason }) => `Wallet ${address} is frozen: ${reason}`),
  ];
}

/** Also what waits in a mempool: bytes that were signed after the backup are valid as long as their nonce is free. */
async function findUnknownNonces(context: Context): Promise<string[]> {
  const wallets = await readSpendingWallets(context.pool);
  const pending = await inGroups(wallets, ({ address }) => readPendingNonce(context.chain, address));
  return wallets.flatMap(({ address, next_nonce: next }, index) => {
    const waiting = pending[index] ?? 0n;
    return waiting <= next
      ? []
      : [
          `Wallet ${address} has sent ${waiting} transactions, the books know of ${next}; one may wait in a mempool.`,
        ];
  });
}

type Operator = { playerId: string; handle: string };

/** An operator knows better than any sign, such as after a restore by other means. The process must be started anew. */
export async function beginRecovery(
  context: Context,
  { by, reason }: { by: Operator; reason: string },
): Promise<Result<null>> {
  const actor = actorName(by);
  return change(context, async (tx) => {
    if (!(await begin(tx, { cause: `${actor}: ${reason}` })))
      return reject("request_invalid", { message: "A recovery stands already." });
    await recordAct(tx, { actor, action: "begin_recovery", subject: "books", detail: { reason } });
    return accept(null);
  });
}

/**
 * Lets money out again.
 * @returns `request_invalid` with what isn't explained or final yet, or when no recovery stands
 */
export async function endRecovery(
  context: Context,
  { by, reason }: { by: Operator; reason: string },
): Promise<Result<null>> {
  const report = await reportRecovery(context);
  if (report === null) return reject("request_invalid", { message: "No recovery stands." });
  if (report.open.length > 0) return reject("request_invalid", { message: report.open.join("\n") });
  const actor = actorName(by);
  return change(context, async (tx) => {
    // The one that was looked at: another operator may have ended it meanwhile, and begun another.
    const { id } = report.recovery;
    const ended = await end(tx, { id, by: actor, reason, at: new Date(context.clock()) });
    if (ended === null) return reject("request_invalid", { message: "This recovery has ended meanwhile." });
    await restartClocks(context, tx, ended);
    await recordAct(tx, {
      ...{ actor, action: "end_recovery", subject: "books" },
      detail: {
        reason,
        cause: ended.cause,
        fromBlock: String(ended.from_block),
        untilBlock: String(ended.until_block),
      },
    });
    return accept(null);
  });
}

async function inGroups<Item, Answer>(
  items: Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < items.length; at += askedAtOnce)
    answers.push(...(await Promise.all(items.slice(at, at + askedAtOnce).map(ask))));
  return answers;
}

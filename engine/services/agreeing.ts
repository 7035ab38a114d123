/**
 * Finality where several providers are configured: blocks count as final only when as many of them as must agree tell the
 * same of our wallets as the books do. What one of them made up is never final, and what one left out is found.
 */
import {
  noteDisagreements,
  readTestimonies,
  type TransferClaim,
  type Weighed,
  weighClaims,
} from "../chain/claims.ts";
import { countWitnesses, readBlock } from "../chain/heads.ts";
import { confirmTransfer, identityOf, readAgreedReceipt } from "../chain/receipts.ts";
import { refOf } from "../chain/shapes.ts";
import type { BlockId, BlockRef, TransferLog } from "../chain/types.ts";
import { accept } from "../contract/problems.ts";
import { insertBreach } from "../db/breaches.ts";
import { readLogsOfBlocks, type ToldLog } from "../db/chain-log.ts";
import { isInBooks, lockCursor, readBlockBelow, readCursor } from "../db/cursor.ts";
import { findWallets } from "../db/wallets.ts";
import { applyReorg, referred } from "./chain-events.ts";
import type { Context } from "./context.ts";
import { tellDeposits } from "./deposit-events.ts";
import { applyFinality } from "./finality.ts";
import { readParties } from "./parties.ts";
import { knownTokens } from "./tokens.ts";
import { change } from "./transaction.ts";
import { followKept, keepTransfers } from "./transfers.ts";

/** Compared in one go; the rest follows at once. */
const blocksAtOnce = 500n;
/** Receipts that are asked for in one go, when logs alone don't decide. */
const mostDisputed = 100;

export type Agreement =
  /** Final as far as was wanted. */
  | "reached"
  /** Some of it is; there is more to compare. */
  | "more"
  /** Too few providers answer, or they differ: why is in their health. */
  | "waiting"
  /** The books held what the providers deny: it was taken back, and outflows are stopped. */
  | "taken back";

interface Blocks {
  above: bigint;
  upTo: bigint;
}

/**
 * Makes blocks of the books final, at most up to `wanted`, which a quorum of providers calls final: as long as the books
 * hold that very block, for their blocks below it are its ancestors.
 */
export async function agreeUpTo(context: Context, wanted: BlockId): Promise<Agreement> {
  const cursor = await readCursor(context.pool);
  if (cursor === null) return "waiting";
  const above = cursor.finalized_number;
  const upTo = least(wanted.number, cursor.head_number, above + blocksAtOnce);
  if (upTo <= above) return wanted.number <= above ? "reached" : "waiting";
  const books = (await readLogsOfBlocks(context.pool, { above, upTo })).map(claimOf);
  const weighed = await compare(context, { above, upTo }, books);
  if (weighed === null) return "waiting";
  const judged = await askReceipts(context, weighed, books);
  const [denied] = judged.denied.sort(byBlock);
  if (denied !== undefined) return takeBack(context, denied);
  const { late, unknown } = await readLate(context, judged.late);
  const agreed = least(upTo, ...[...judged.open, ...unknown].map(({ blockNumber }) => blockNumber - 1n));
  if (agreed <= above) return "waiting";
  const made = await makeFinal(context, { above, upTo: agreed }, { wanted, books, late });
  if (made !== "final") return made === "changed" ? "more" : "waiting";
  if (agreed < upTo) return "waiting";
  return agreed < wanted.number ? "more" : "reached";
}

const least = (...numbers: bigint[]): bigint => numbers.reduce((a, b) => (a < b ? a : b));
const byBlock = (a: TransferClaim, b: TransferClaim): number => Number(a.blockNumber - b.blockNumber);
const claimOf = ({ sender: from, recipient: to, ...log }: ToldLog): TransferClaim => ({
  ...{ txHash: log.tx_hash, token: log.token, ordinal: log.ordinal, amount: log.amount, from, to },
  ...{ blockNumber: log.block_number, blockHash: log.block_hash },
});

/** Null when too few providers answer. */
async function compare(
  context: Context,
  { above, upTo }: Blocks,
  books: readonly TransferClaim[],
): Promise<Weighed | null> {
  const { chain, pool } = context;
  const testimonies = await readTestimonies(chain, {
    ...{ from: above + 1n, to: upTo },
    tokens: [...(await knownTokens(pool)).keys()],
    keep: async (claims) => {
      const wallets = await findWallets(pool, [...new Set(claims.flatMap(({ from, to }) => [from, to]))]);
      return claims.filter(({ from, to, amount }) => amount > 0n && (wallets.has(from) || wallets.has(to)));
    },
  });
  noteDisagreements(testimonies);
  return testimonies.length < chain.quorum ? null : weighClaims(books, testimonies, chain.quorum);
}

/**
 * A node's index of logs may lag behind its blocks: the receipts of what is in doubt decide, if they are agreed on, and
 * nothing that the books hold is denied without them.
 */
async function askReceipts(
  { chain, log }: Context,
  weighed: Weighed,
  books: readonly TransferClaim[],
): Promise<Weighed> {
  const booked = new Set(books.map(identityOf));
  const disputed = [...weighed.open, ...weighed.denied].sort(byBlock);
  const judged: Weighed = { late: weighed.late, denied: [], open: disputed.slice(mostDisputed) };
  for (const claim of disputed.slice(0, mostDisputed)) {
    const isBooked = booked.has(identityOf(claim));
    const confirmation = await confirmTransfer(chain, claim);
    if (confirmation === "confirmed" && !isBooked) judged.late.push(claim);
    if (confirmation === "denied" && isBooked) judged.denied.push(claim);
    if (confirmation === "unavailable") judged.open.push(claim);
  }
  if (judged.open.length > 0)
    log.warn(
      { transfers: judged.open.slice(0, 5).map(({ txHash }) => txHash) },
      "the providers don't agree on transfers of our wallets: finality waits",
    );
  return judged;
}

/** What the books lack, with all that is to be kept of it. */
async function readLate(
  { chain }: Context,
  claims: readonly TransferClaim[],
): Promise<{ late: TransferLog[]; unknown: TransferClaim[] }> {
  const late: TransferLog[] = [];
  const unknown: TransferClaim[] = [];
  for (const claim of claims) {
    const receipt = await readAgreedReceipt(chain, claim.txHash, [claim.token]);
    const transfers = "found" in receipt && receipt.found ? receipt.transfers : [];
    const found = transfers.find((one) => identityOf(one) === identityOf(claim));
    if (found === undefined) unknown.push(claim);
    else late.push(found);
  }
  return { late, unknown };
}

/** "changed" when the books aren't as they were compared; "astray" when they don't hold the block that is called final. */
async function makeFinal(
  context: Context,
  blocks: Blocks,
  { wanted, books, late }: { wanted: BlockId; books: readonly TransferClaim[]; late: readonly TransferLog[] },
): Promise<"final" | "changed" | "astray"> {
  const compared = books.filter(({ blockNumber }) => blockNumber <= blocks.upTo);
  const inTime = late.filter(({ blockNumber }) => blockNumber <= blocks.upTo);
  const applied = await change(context, async (tx) => {
    const cursor = await lockCursor(tx);
    if (cursor === null || cursor.finalized_number !== blocks.above || cursor.head_number < blocks.upTo)
      return accept("changed" as const);
    if (!(await isInBooks(tx, { blockNumber: wanted.number, blockHash: wanted.hash })))
      return accept("astray" as const);
    const now = (await readLogsOfBlocks(tx, blocks)).map(claimOf);
    if (textOf(now) !== textOf(compared)) return accept("changed" as const);
    if (inTime.length > 0) {
      context.log.error(
        { transfers: inTime.map(({ txHash }) => txHash) },
        "a provider had left out transfers",
      );
      const parties = await readParties(tx, inTime);
      const kept = await keepTransfers(tx, inTime, parties);
      await followKept(context, tx, kept);
      await tellDeposits(context, tx, kept.depositIds);
    }
    await applyFinality(context, tx, cursor, { finalized: blocks.upTo, safe: cursor.safe_number });
    return accept("final" as const);
  });
  return applied.ok ? applied.value : "changed";
}

const textOf = (claims: readonly TransferClaim[]): string => claims.map(identityOf).sort().join("\n");

/** Back to before a transfer that isn't there: the follower reads on from that block. */
async function takeBack(context: Context, claim: TransferClaim): Promise<Agreement> {
  const final = await readFinalBlock(context);
  const detail = `${claim.amount} of ${claim.token} from ${claim.from} to ${claim.to} in ${claim.txHash}, block ${claim.blockNumber}: the books had it, the providers deny it`;
  const applied = await change(context, async (tx) => {
    const cursor = await lockCursor(tx);
    const { blockNumber } = claim;
    const held = await readLogsOfBlocks(tx, { above: blockNumber - 1n, upTo: blockNumber });
    // A reorg or another process has taken it back meanwhile.
    if (cursor === null || !held.some((log) => identityOf(claimOf(log)) === identityOf(claim)))
      return accept(null);
    await insertBreach(tx, { invariant: "transfer denied", detail });
    const below = await readBlockBelow(tx, blockNumber);
    const known = [below && referred(below), final];
    const before = known.find((block) => block !== null && block.number >= cursor.finalized_number);
    if (before == null || before.number >= blockNumber) return accept(false);
    await applyReorg(context, tx, cursor, before);
    return accept(true);
  });
  if (!applied.ok || applied.value === null) return "more";
  context.log.fatal({ txHash: claim.txHash }, detail);
  return applied.value ? "taken back" : "waiting";
}

/** The books leave out blocks without transfers that were final when they were read: perhaps the last one that is. */
async function readFinalBlock({ chain, pool }: Context): Promise<BlockRef | null> {
  const cursor = await readCursor(pool);
  const block = cursor === null ? null : await readBlock(chain, cursor.finalized_number);
  if (block === null || (await countWitnesses(chain, block)) < chain.quorum) return null;
  return refOf(block);
}

/**
 * The short way for the block that players wait for: one whose transfers of ours are all deposits that may be played with
 * at once. What that is decided on was read before, and the database refuses what is written when it has changed since.
 * Then, and for every other block, there is the plain way (`chain-events.ts`), which locks before it reads.
 */
import type { TransferLog } from "../chain/types.ts";
import type { Heads } from "../core/tiers.ts";
import { follows, type HandledBlock, lockCursor } from "../db/cursor.ts";
import type { DepositRow } from "../db/deposits.ts";
import { isRetriable, isUniqueViolation, isUnwritten } from "../db/errors.ts";
import { insertCredited, moveHeadAsForeseen, type ReservedIds } from "../db/foresight.ts";
import { writeOutbox } from "../db/outbox.ts";
import { atOnce } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { bookingOf, choosePlayable, collectionOf, exposureOf } from "./crediting.ts";
import { creditedTellings } from "./deposit-events.ts";
import type { Foresight } from "./foresight.ts";
import { postSurely } from "./ledger.ts";
import { type AttributedTransfer, attributeAll, chainLogOf } from "./transfers.ts";

/** Writes a block in one packet. False when that couldn't be foreseen: then nothing of it is written. */
export async function creditAtOnce(
  context: Context,
  { block, transfers }: { block: HandledBlock; transfers: readonly TransferLog[] },
  { parties, outlook: { cursor, exposed, ids } }: Foresight,
): Promise<boolean> {
  if (cursor === null || !follows(cursor, block) || parties.attempts.size > 0) return false;
  const ours = attributeAll(transfers, parties);
  const deposits = depositsOf(ours, ids, new Date(context.clock()));
  if (deposits === null) return false;
  const heads: Heads = {
    latest: block.number,
    safe: cursor.safe_number,
    finalized: cursor.finalized_number,
  };
  if (choosePlayable(context, { deposits, exposed }, heads).length < deposits.length) return false;

  const logs = ours.map(chainLogOf);
  const exposures = deposits.flatMap((deposit) => exposureOf(deposit, heads));
  const tellings = await creditedTellings(context, deposits, heads);
  try {
    await atOnce(context.pool, (tx) => [
      lockCursor(tx),
      moveHeadAsForeseen(tx, block, { cursor, exposed }),
      insertCredited(tx, { logs, deposits, exposures }),
      postSurely(tx, deposits.flatMap(bookingOf), collectionOf(block.number)),
      writeOutbox(tx, tellings),
    ]);
  } catch (error) {
    if (isOtherThanForeseen(error)) return false;
    throw error;
  }
  context.nudge();
  return true;
}

/** The books have changed, a log is in them already, an account isn't open yet, or somebody else was in the way. */
const isOtherThanForeseen = (error: unknown): boolean =>
  isUnwritten(error) || isUniqueViolation(error, "chain_log_tx_hash_token_ordinal_key") || isRetriable(error);

/** Null when there are none, or something else among them. */
function depositsOf(
  transfers: readonly AttributedTransfer[],
  ids: readonly ReservedIds[],
  seenAt: Date,
): DepositRow[] | null {
  const deposits = transfers.flatMap(({ log, attribution, recipient }, index) => {
    const own = ids[index];
    if (attribution.to !== "player" || recipient === undefined || own === undefined) return [];
    return {
      id: own.deposit_id,
      chain_log_id: own.chain_log_id,
      inclusion: 1,
      token: log.token,
      amount: log.amount,
      wallet_id: recipient.id,
      purpose: recipient.purpose,
      player_id: attribution.playerId,
      sender: log.from,
      tx_hash: log.txHash,
      block_number: log.blockNumber,
      created_at: seenAt,
      state: "seen" as const,
      credited: false,
      suspense_state: null,
      claimed_by: null,
    };
  });
  return deposits.length === 0 || deposits.length < transfers.length ? null : deposits;
}

/** Money that came in and can't be credited to anybody: kept in sight, claimed by its sender, or sent back. */
import type { z } from "zod";
import type { suspenseItem, suspenseItems } from "../contract/operations.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { zeroAddress } from "../core/address.ts";
import type { PlannedTransfer } from "../core/ledger.ts";
import { isAway } from "../db/errors.ts";
import type { Tx } from "../db/pool.ts";
import { isReadingAgain } from "../db/recovery.ts";
import {
  lockClaimable,
  lockSuspense,
  markClaimed,
  markRefunded,
  mostRefunds,
  readClaims,
  listSuspense as readList,
  readSuspense,
  refundKey,
  type SuspenseRow,
} from "../db/suspense.ts";
import type { Token } from "../db/tokens.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { tellDeposits } from "./deposit-events.ts";
import { post } from "./ledger.ts";
import { approve } from "./operators.ts";
import { requireKnownBalances } from "./reading-again.ts";
import { knownTokens, moneyOf } from "./tokens.ts";
import { change } from "./transaction.ts";

export type SuspenseItem = z.output<typeof suspenseItem>;
const mostShown = 200;
const mostClaimedAtOnce = 500;
const mostClaimsAtOnce = 100;

/**
 * Gives a player what an address of theirs has sent and nobody was credited for, within the transaction that proves the
 * address. Only what is final: the rest follows by `claimOwnedSuspense` when it is. Answers the deposits' ids.
 */
export async function claimSuspenseOf(
  context: Context,
  tx: Tx,
  { playerId, address }: { playerId: string; address: string },
): Promise<string[]> {
  const claimable = await lockClaimable(tx, { sender: address, limit: mostClaimedAtOnce });
  // Of old books it isn't known yet what went back since: the next round claims it.
  if (claimable.length === 0 || (await isReadingAgain(tx))) return [];
  await creditFromSuspense(context, tx, { rows: claimable, playerId });
  return claimable.map(({ id }) => id);
}

/** Locked items, into a player's pool. What didn't land in the vault is moved there. */
export async function creditFromSuspense(
  context: Context,
  tx: Tx,
  { rows, playerId }: { rows: readonly SuspenseRow[]; playerId: string },
): Promise<void> {
  for (const row of rows) {
    const transfer: PlannedTransfer = {
      from: { kind: "suspense", walletId: row.wallet_id },
      to: { kind: "player.available", playerId },
      token: row.token,
      amount: row.amount,
      reason: "suspense_claimed",
      key: `suspense:${row.id}:claimed`,
    };
    const posted = await post(tx, [transfer], {
      cause: `suspense:${row.id}`,
      playerId,
      notBeforeBlock: row.block_number,
    });
    if (!posted.ok) throw new Error(`suspense doesn't hold deposit ${row.id}: ${posted.rejection.code}`);
  }
  const depositIds = rows.map(({ id }) => id);
  await markClaimed(tx, { depositIds, playerId });
  await tellDeposits(context, tx, depositIds);
}

/**
 * Claims for everybody whose verified wallet sent something that lies in suspense: deposits that weren't final when the
 * wallet was linked. Each in a transaction of its own. Answers how many deposits were claimed.
 */
export async function claimOwnedSuspense(context: Context): Promise<number> {
  let claimed = 0;
  for (const claim of await readClaims(context.pool, mostClaimsAtOnce)) {
    try {
      const result = await change(context, async (tx) => accept(await claimSuspenseOf(context, tx, claim)));
      if (result.ok) claimed += result.value.length;
    } catch (error) {
      if (isAway(error)) throw error;
      context.log.error({ error, playerId: claim.playerId }, "what lies in suspense couldn't be claimed");
    }
  }
  return claimed;
}

/** What lies in suspense or did: open items first, then the newest. */
export async function listSuspense(context: Context): Promise<Result<z.output<typeof suspenseItems>>> {
  const tokens = await knownTokens(context.pool);
  const rows = await readList(context.pool, mostShown);
  return accept({ items: rows.map((row) => itemView(tokens, row)) });
}

export interface Refund {
  /** The operator. */
  by: { playerId: string; handle: string };
  depositId: string;
  reason: string;
}

/**
 * Sends a deposit back to the address that sent it. Above the token's approval limit two operators must ask for it.
 * @returns `not_found`, `suspense_not_open`, `not_final_yet`, `request_invalid` when there is no sender to go back to,
 * `second_approval_needed`, `switched_off` while balances aren't known (`requireKnownBalances`)
 */
export async function refundSuspense(context: Context, refund: Refund): Promise<Result<SuspenseItem>> {
  const { by, depositId, reason } = refund;
  // Tried first, so that nobody's word is taken for an act that can't be.
  const wouldBe = checkRefund(await readSuspense(context.pool, depositId));
  if (!wouldBe.ok) return wouldBe;
  const { token, amount, sender, refunds } = wouldBe.value;
  const approved = await approve(context, {
    action: "refund_suspense",
    subject: `deposit:${depositId}`,
    // Numbered: what was agreed on once isn't agreed on when it has come back.
    payload: { token, amount, sender, number: refunds + 1 },
    operatorId: by.playerId,
    money: { token, amount },
  });
  if (!approved.ok) return approved;
  return change(context, async (tx) => {
    const checked = checkRefund(await lockSuspense(tx, depositId));
    if (!checked.ok) return checked;
    const known = await requireKnownBalances(tx);
    if (!known.ok) return known;
    await sendBack(context, tx, checked.value);
    await recordAct(tx, {
      actor: actorName(by),
      action: "refund_suspense",
      subject: `deposit:${depositId}`,
      detail: { reason, token, amount: amount.toString(), to: sender },
    });
    const row = await readSuspense(tx, depositId);
    if (row === null) throw new Error(`deposit ${depositId} is gone`);
    return accept(itemView(await knownTokens(context.pool), row));
  });
}

function checkRefund(row: SuspenseRow | null): Result<SuspenseRow> {
  if (row === null) return reject("not_found");
  if (row.suspense_state !== "open") return reject("suspense_not_open");
  if (row.sender === zeroAddress) {
    return reject("request_invalid", {
      message: "This money was minted: there is no sender to go back to. Credit it to its player.",
    });
  }
  if (row.sender_is_ours) {
    return reject("request_invalid", { message: "The sender is a wallet of ours: this needs a person." });
  }
  if (row.refunds >= mostRefunds) {
    return reject("request_invalid", {
      message: "It was refused too often where it came from. Credit it to its player.",
    });
  }
  if (!row.is_final) {
    return reject("not_final_yet", {
      message: "This deposit isn't final on the chain yet. Send it back when it is.",
    });
  }
  return accept(row);
}

export const depositOfRefund = (key: string): string => key.split(":")[1] ?? "";

async function sendBack(context: Context, tx: Tx, row: SuspenseRow): Promise<void> {
  const key = refundKey(row.id, row.refunds + 1);
  const transfer: PlannedTransfer = {
    from: { kind: "suspense", walletId: row.wallet_id },
    to: { kind: "outside", address: row.sender },
    token: row.token,
    amount: row.amount,
    reason: "suspense_refunded",
    key,
  };
  const posted = await post(tx, [transfer], { cause: key, notBefore: new Date(context.clock()) });
  if (!posted.ok) throw new Error(`suspense doesn't hold deposit ${row.id}: ${posted.rejection.code}`);
  await markRefunded(tx, row.id);
}

export const itemView = (tokens: ReadonlyMap<string, Token>, row: SuspenseRow): SuspenseItem => ({
  id: row.id,
  money: moneyOf(tokens, row.token, row.amount),
  cause: row.cause,
  sender: row.sender,
  recipient: row.recipient,
  txHash: row.tx_hash,
  state: row.suspense_state,
  seenAt: row.created_at.toISOString(),
  claimedBy: row.claimed_by === null ? null : { id: row.claimed_by, handle: row.claimed_by_handle ?? "?" },
});

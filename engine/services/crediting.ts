/** From a deposit that was seen to money in a pool, and back when the chain changes its mind. */
import type { AccountRef, PlannedTransfer } from "../core/ledger.ts";
import { type Heads, isPlayable, playableAt, withinExposure } from "../core/tiers.ts";
import {
  type DepositRow,
  deleteExposure,
  insertExposures,
  lockDepositsAbove,
  lockUncredited,
  readExposures,
  setDepositOrphaned,
  setDepositsCredited,
} from "../db/deposits.ts";
import { lockAccounts } from "../db/ledger.ts";
import type { Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { tellDeposits } from "./deposit-events.ts";
import { post } from "./ledger.ts";

/** Looked at in one go; the rest follows with the next block. */
const mostAtOnce = 1_000;
/** Deposits of about so many blocks are collected together. */
const collectionBlocks = 600n;

const keyOf = (deposit: DepositRow, what: string): string =>
  `deposit:${deposit.chain_log_id}:${deposit.inclusion}:${what}`;
const collectCause = (deposit: DepositRow): string => `collect:${deposit.block_number / collectionBlocks}`;

/** Credits every deposit that lies deep enough for its amount and fits under the caps; the others wait for more blocks. */
export async function creditWhatIsPlayable(context: Context, tx: Tx, heads: Heads): Promise<void> {
  const waiting = await lockUncredited(tx, mostAtOnce);
  if (waiting.length === 0) return;
  const exposed = await readExposures(tx, heads.finalized);
  const credited: DepositRow[] = [];
  for (const deposit of waiting) {
    if (!mayBeCredited(context, deposit, heads, exposed)) continue;
    await bookDeposit(tx, deposit);
    credited.push(deposit);
    if (deposit.player_id !== null && deposit.block_number > heads.finalized) {
      exposed.push({ playerId: deposit.player_id, token: deposit.token, amount: deposit.amount });
    }
  }
  if (credited.length === 0) return;
  await setDepositsCredited(
    tx,
    credited.map(({ id }) => id),
  );
  await insertExposures(
    tx,
    credited.flatMap((deposit) =>
      deposit.player_id === null || deposit.block_number <= heads.finalized
        ? []
        : [
            {
              playerId: deposit.player_id,
              token: deposit.token,
              amount: deposit.amount,
              untilBlock: deposit.block_number,
              businessKey: keyOf(deposit, "exposure"),
            },
          ],
    ),
  );
  await tellDeposits(
    context,
    tx,
    credited.map(({ id }) => id),
  );
}

function mayBeCredited(
  context: Context,
  deposit: DepositRow,
  heads: Heads,
  exposed: { playerId: string; token: string; amount: bigint }[],
): boolean {
  // In suspense it can't be played with, so nothing is risked by showing it at once.
  if (deposit.player_id === null || deposit.block_number <= heads.finalized) return true;
  const tiers = context.settings.tiers.get(deposit.token);
  const caps = context.settings.exposureCaps.get(deposit.token);
  if (tiers === undefined || caps === undefined) return false;
  if (!isPlayable({ tier: playableAt(tiers, deposit.amount), block: deposit.block_number, heads }))
    return false;
  const sum = (rows: typeof exposed): bigint => rows.reduce((total, { amount }) => total + amount, 0n);
  const same = exposed.filter(({ token }) => token === deposit.token);
  return withinExposure({
    playerNotFinal: sum(same.filter(({ playerId }) => playerId === deposit.player_id)),
    totalNotFinal: sum(same),
    amount: deposit.amount,
    caps,
  });
}

/** The transfers that put a deposit into the ledger, in order. */
function bookingOf(deposit: DepositRow): PlannedTransfer[] {
  const { token, amount, player_id: playerId } = deposit;
  const outside: AccountRef = { kind: "outside", address: deposit.sender };
  const incoming = (to: AccountRef): PlannedTransfer => ({
    from: outside,
    to,
    token,
    amount,
    reason: "deposit",
    key: keyOf(deposit, "in"),
  });
  if (playerId === null) return [incoming({ kind: "suspense", walletId: deposit.wallet_id })];
  const available: AccountRef = { kind: "player.available", playerId };
  if (deposit.purpose !== "deposit") return [incoming(available)];
  const landed: AccountRef = { kind: "player.deposit", playerId };
  return [
    incoming(landed),
    { from: landed, to: available, token, amount, reason: "collect", key: keyOf(deposit, "collect") },
  ];
}

async function bookDeposit(tx: Tx, deposit: DepositRow): Promise<void> {
  const posted = await post(tx, bookingOf(deposit), {
    cause: collectCause(deposit),
    notBeforeBlock: deposit.block_number,
    ...(deposit.player_id === null ? {} : { playerId: deposit.player_id }),
  });
  if (!posted.ok) throw new Error(`deposit ${deposit.id} can't be booked: ${posted.rejection.code}`);
}

/**
 * Takes back every deposit above a block. What its player no longer has is put back from house.loss first, to the unit:
 * nobody else pays for it. Answers the ids.
 */
export async function takeBackDepositsAbove(
  context: Context,
  tx: Tx,
  blockNumber: bigint,
): Promise<string[]> {
  const deposits = await lockDepositsAbove(tx, blockNumber);
  for (const deposit of deposits) {
    if (deposit.credited) await unbook(context, tx, deposit);
    await setDepositOrphaned(tx, deposit.id);
    await deleteExposure(tx, keyOf(deposit, "exposure"));
  }
  return deposits.map(({ id }) => id);
}

async function unbook(context: Context, tx: Tx, deposit: DepositRow): Promise<void> {
  // A claim moved it from suspense to a player since: then it is taken from there.
  const playerId = deposit.player_id ?? deposit.claimed_by;
  const back = bookingOf(deposit)
    .reverse()
    .map(
      (transfer, index): PlannedTransfer => ({
        ...transfer,
        from: transfer.to,
        to: transfer.from,
        reason: "deposit_orphaned",
        key: keyOf(deposit, `back-${index}`),
      }),
    );
  const transfers = [
    ...(playerId === null ? [] : await coverShortfall(context, tx, deposit, playerId)),
    ...back,
  ];
  const posted = await post(tx, transfers, { cause: collectCause(deposit) });
  if (!posted.ok) throw new Error(`deposit ${deposit.id} can't be taken back: ${posted.rejection.code}`);
}

async function coverShortfall(
  context: Context,
  tx: Tx,
  deposit: DepositRow,
  playerId: string,
): Promise<PlannedTransfer[]> {
  const { token, amount } = deposit;
  const [account] = await lockAccounts(tx, [
    { kind: "player.available", token, playerId, gameId: null, walletId: null },
  ]);
  const short = amount - (account?.balance ?? 0n);
  if (short <= 0n) return [];
  context.log.error(
    { depositId: deposit.id, playerId, token, short: short.toString() },
    "a deposit fell out of the chain after its money was used: the house bears it",
  );
  return [
    {
      from: { kind: "house.loss" },
      to: { kind: "player.available", playerId },
      token,
      amount: short,
      reason: "loss_booked",
      key: keyOf(deposit, "loss"),
    },
  ];
}

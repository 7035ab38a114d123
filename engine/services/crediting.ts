/** From a deposit that was seen to money in a pool. */
import type { AccountRef, PlannedTransfer } from "../core/ledger.ts";
import { type Heads, isPlayable, playableAt, withinExposure } from "../core/tiers.ts";
import {
  type DepositRow,
  type Exposed,
  type Exposure,
  lockUncredited,
  readExposures,
  readUnpaidLosses,
  setDepositsCredited,
  type UnpaidLoss,
} from "../db/deposits.ts";
import { type Tx, together } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { type PostOptions, post } from "./ledger.ts";

/** Looked at in one go; the rest follows with the next block. */
const mostAtOnce = 1_000;
/** Deposits of about so many blocks are collected together. */
const collectionBlocks = 600n;

/** The business key of one transfer of one inclusion of a deposit. */
export const keyOf = (deposit: DepositRow, what: string, inclusion = deposit.inclusion): string =>
  `deposit:${deposit.chain_log_id}:${inclusion}:${what}`;
export const collectCause = (deposit: Pick<DepositRow, "block_number">): string =>
  `collect:${deposit.block_number / collectionBlocks}`;

/** What might be credited, and what players have in play already that isn't final. */
export interface Creditable {
  deposits: DepositRow[];
  exposed: Exposed[];
}

/** Sends its statements at once. */
export async function readCreditable(tx: Tx): Promise<Creditable> {
  const [deposits, exposed] = await Promise.all([lockUncredited(tx, mostAtOnce), readExposures(tx)]);
  return { deposits, exposed };
}

/** Those that lie deep enough for their amount and fit under the caps; the others wait for more blocks. */
export function choosePlayable(
  context: Context,
  { deposits, exposed }: Creditable,
  heads: Heads,
): DepositRow[] {
  const inPlay = [...exposed];
  return deposits.filter((deposit) => {
    if (!mayBeCredited(context, deposit, heads, inPlay)) return false;
    const { player_id: playerId, token, amount } = deposit;
    if (playerId !== null && deposit.block_number > heads.finalized) inPlay.push({ playerId, token, amount });
    return true;
  });
}

/** Credits what was chosen. */
export async function credit(tx: Tx, deposits: DepositRow[], heads: Heads): Promise<void> {
  if (deposits.length === 0) return;
  const losses = await readUnpaidLosses(
    tx,
    deposits.filter(({ inclusion }) => inclusion > 1),
  );
  const exposures = deposits.flatMap((deposit) => exposureOf(deposit, heads));
  const ids = deposits.map(({ id }) => id);
  await together(tx, () => [setDepositsCredited(tx, ids, exposures), book(tx, deposits, losses)]);
}

/** Those of one block together: they are collected together. */
async function book(tx: Tx, deposits: DepositRow[], losses: UnpaidLoss[]): Promise<void> {
  for (const block of new Set(deposits.map(({ block_number }) => block_number))) {
    const transfers = deposits
      .filter(({ block_number }) => block_number === block)
      .flatMap((deposit) => [...bookingOf(deposit), ...repaymentsOf(deposit, losses)]);
    const posted = await post(tx, transfers, collectionOf(block));
    if (!posted.ok) throw new Error(`deposits of block ${block} can't be booked: ${posted.rejection.code}`);
  }
}

/** How what was deposited in a block is collected. */
export const collectionOf = (block: bigint): PostOptions => ({
  cause: collectCause({ block_number: block }),
  notBeforeBlock: block,
});

/** What of a deposit isn't final, while it isn't. */
export function exposureOf(deposit: DepositRow, { finalized }: Heads): Exposure[] {
  const { player_id: playerId, token, amount, block_number: untilBlock } = deposit;
  if (playerId === null || untilBlock <= finalized) return [];
  return [{ playerId, token, amount, untilBlock, businessKey: keyOf(deposit, "exposure") }];
}

function mayBeCredited(context: Context, deposit: DepositRow, heads: Heads, exposed: Exposed[]): boolean {
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
export function bookingOf(deposit: DepositRow): PlannedTransfer[] {
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

/**
 * What the house bore when this deposit fell out of the chain comes back to it, now that the deposit has come back: as far
 * as the deposit goes, for it may have come back smaller.
 */
function repaymentsOf(deposit: DepositRow, losses: UnpaidLoss[]): PlannedTransfer[] {
  const { token, player_id: playerId } = deposit;
  if (playerId === null) return [];
  let left = deposit.amount;
  return losses
    .filter(({ chainLogId }) => chainLogId === deposit.chain_log_id)
    .flatMap(({ inclusion, amount: lost }) => {
      const amount = lost < left ? lost : left;
      if (amount === 0n) return [];
      left -= amount;
      return {
        from: { kind: "player.available", playerId },
        to: { kind: "house.loss" },
        ...{ token, amount },
        reason: "loss_repaid",
        key: keyOf(deposit, `repaid-${deposit.inclusion}`, inclusion),
      };
    });
}

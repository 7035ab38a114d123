/**
 * What was asked for after the backup that the books were restored from, where the chain says what it can only have been:
 * booked again, so that nobody has the money twice and nobody loses it.
 */
import { executorOf } from "../../wallets/executor.ts";
import { insertLost, isUnderWay, lockMatching, lockUnpaidPayout, type Payload } from "../db/adopting.ts";
import type { Tx } from "../db/pool.ts";
import { lockProven } from "../db/suspense.ts";
import { readEarned } from "../db/sweep.ts";
import { findWallets, readSingleWallet } from "../db/wallets.ts";
import { readWalletOwner } from "../db/withdrawals.ts";
import type { Context } from "./context.ts";
import { takePayoutIntoPool } from "./giving-back.ts";
import { creditFromSuspense } from "./suspense.ts";
import { takeEarned } from "./sweep.ts";
import { owe } from "./withdrawals.ts";

/** A payment of one of our wallets. */
type Paid = Payload & { walletId: string };

/** Answers the instruction that asks for it from now on; null when it may have been several things, or none. */
export async function remake(context: Context, tx: Tx, paid: Paid): Promise<string | null> {
  const { walletId, token, destination } = paid;
  if (token === null) return remakeOfGas(tx, paid);
  const vault = await readSingleWallet(tx, "vault");
  if (vault?.id === walletId) return remakeWithdrawal(context, tx, { ...paid, token });
  if (vault?.address === destination) return remakeCollection(context, tx, { ...paid, token });
  if (context.settings.houseAddress === destination) return remakeSweep(context, tx, { ...paid, token });
  return null;
}

/** Ether for a wallet of ours, or the executor's deployment. */
async function remakeOfGas(tx: Tx, { walletId, destination, amount }: Paid): Promise<string | null> {
  const gas = await readSingleWallet(tx, "gas");
  if (gas?.id !== walletId) return null;
  if (amount === 0n)
    return destination === executorOf(gas.address ?? "")
      ? insertLost(tx, { kind: "deploy", walletId, destination, amount })
      : null;
  const isOurs = (await findWallets(tx, [destination])).has(destination);
  return isOurs ? insertLost(tx, { kind: "topup", walletId, destination, amount }) : null;
}

type PaidTokens = Paid & { token: string };

/**
 * A player's withdrawal to a wallet of theirs, which they must not have in the pool as well. What they had sent to the
 * vault and nobody had claimed may be what they withdrew, or went back to that wallet: it comes to the same.
 */
async function remakeWithdrawal(context: Context, tx: Tx, paid: PaidTokens): Promise<string | null> {
  const { walletId, token, amount, destination: address } = paid;
  const playerId = await readWalletOwner(tx, address);
  if (playerId === null) return null;
  // It may be this one, whose first transaction has failed: that is seen first.
  if (await isUnderWay(tx, paid)) return null;
  const rows = await lockProven(tx, { walletId, token, playerId });
  await creditFromSuspense(context, tx, { rows, playerId });
  const owed = await owe(context, tx, { by: playerId, token, amount, address });
  return owed.ok ? owed.value.instructionId : null;
}

/** Into the vault: what its sender had claimed, or a payout that its winner took into the pool. */
async function remakeCollection(context: Context, tx: Tx, paid: PaidTokens): Promise<string | null> {
  const [claimed] = await lockProven(tx, paid);
  if (claimed !== undefined && claimed.sender_player_id !== null) {
    await creditFromSuspense(context, tx, { rows: [claimed], playerId: claimed.sender_player_id });
    return lockMatching(tx, paid);
  }
  const payout = await lockUnpaidPayout(tx, paid);
  if (payout === null) return null;
  await takePayoutIntoPool(tx, payout);
  return lockMatching(tx, paid);
}

/** All that a game had earned, to the house. */
async function remakeSweep(context: Context, tx: Tx, paid: PaidTokens): Promise<string | null> {
  const { walletId, token, amount } = paid;
  const earned = await readEarned(tx, { token, limit: 1, walletId });
  const isAllOfIt = earned.every(({ state, rake, dust }) => state === "settled" && rake + dust === amount);
  if (earned.length === 0 || !isAllOfIt) return null;
  const taken = await takeEarned(context, tx, { token, rows: earned });
  return taken.ok ? (taken.value[0] ?? null) : null;
}

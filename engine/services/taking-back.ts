/** What a reorg takes back: deposits whose blocks fell out of the chain. */
import type { PlannedTransfer } from "../core/ledger.ts";
import { type DepositRow, deleteExposure, lockDepositsAbove, setDepositOrphaned } from "../db/deposits.ts";
import { lockHoldingOffers } from "../db/held-offers.ts";
import { lockAccounts } from "../db/ledger.ts";
import type { Tx } from "../db/pool.ts";
import { lockProposal } from "../db/proposals.ts";
import type { Context } from "./context.ts";
import { bookingOf, collectCause, keyOf } from "./crediting.ts";
import { post } from "./ledger.ts";
import { applyToOffer } from "./proposals.ts";

/**
 * Takes back every deposit above a block. A player who has spent it since first loses the offers that it is held for;
 * what is still short is put back from house.loss, to the unit: nobody else pays for it. Answers the ids.
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
  const covered = playerId === null ? [] : await coverShortfall(context, tx, deposit, playerId);
  const posted = await post(tx, [...covered, ...back], { cause: collectCause(deposit) });
  if (!posted.ok) throw new Error(`deposit ${deposit.id} can't be taken back: ${posted.rejection.code}`);
}

async function coverShortfall(
  context: Context,
  tx: Tx,
  deposit: DepositRow,
  playerId: string,
): Promise<PlannedTransfer[]> {
  const { token, amount } = deposit;
  const readShort = async (): Promise<bigint> => {
    const [account] = await lockAccounts(tx, [
      { kind: "player.available", token, playerId, gameId: null, walletId: null },
    ]);
    return amount - (account?.balance ?? 0n);
  };
  if ((await readShort()) > 0n) await callOffersOff(context, tx, { playerId, token, readShort });
  const short = await readShort();
  if (short <= 0n) return [];
  context.log.error(
    { depositId: deposit.id, playerId, token, short: short.toString() },
    "a deposit fell out of the chain after its money was used: the house bears it",
  );
  const to = { kind: "player.available", playerId } as const;
  const key = keyOf(deposit, "loss");
  return [{ from: { kind: "house.loss" }, to, token, amount: short, reason: "loss_booked", key }];
}

/** The youngest offers first, no more than it takes. */
async function callOffersOff(
  context: Context,
  tx: Tx,
  { playerId, token, readShort }: { playerId: string; token: string; readShort: () => Promise<bigint> },
): Promise<void> {
  for (const id of await lockHoldingOffers(tx, { playerId, token })) {
    if ((await readShort()) <= 0n) return;
    const offer = (await lockProposal(tx, { id, withRoot: false }))?.state;
    if (offer === undefined) throw new Error(`offer ${id} is gone`);
    const isOver = offer.expiresAtMs <= context.clock();
    const ended = await applyToOffer(
      context,
      tx,
      offer,
      isOver ? { type: "expire" } : { type: "cancel", by: playerId },
    );
    if (!ended.ok) throw new Error(`offer ${offer.id} can't be called off: ${ended.rejection.code}`);
    context.log.warn({ proposalId: offer.id, playerId }, "an offer's stake fell out of the chain: it is off");
  }
}

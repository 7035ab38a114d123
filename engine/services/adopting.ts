/** Finds the place in the books of a transaction that one of our wallets has signed and the books don't know. */
import type { SignedTransaction } from "../chain/transactions.ts";
import {
  insertAdopted,
  insertAdoptedAttempt,
  insertAdoptedAuthorisation,
  insertAdoptedPayment,
  lockMatching,
  lockNonce,
  type Standing,
} from "../db/adopting.ts";
import { markReverted } from "../db/confirming.ts";
import { giveNoncesBack } from "../db/nonces.ts";
import { type Tx, transaction } from "../db/pool.ts";
import { findWallets, readSingleWallet } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { type Order, readOrder } from "./payloads.ts";
import { remake } from "./remaking.ts";

interface Adoption {
  found: SignedTransaction;
  order: Order;
  /** Whose nonce it spends, and what it moves is whose. */
  sender: { id: string };
  source: { id: string };
}

/**
 * Puts it to the instructions that it pays, each of them to one, or nothing at all: from then on its block, its failure
 * or its finality are seen as if we had just sent it. Answers its row, or null when nothing in the books asks for it (yet).
 */
export const adopt = (context: Context, found: SignedTransaction): Promise<string | null> =>
  place(context, found, async (tx, adoption) => {
    const chainTxId = await spend(tx, adoption);
    const paid: string[] = [];
    for (const [ordinal, payment] of adoption.order.payments.entries()) {
      const walletId = adoption.source.id;
      const instructionId =
        (await lockMatching(tx, { walletId, ...payment })) ??
        (await remake(context, tx, { walletId, ...payment }));
      if (instructionId === null) return null;
      await insertAdoptedPayment(tx, { chainTxId, ordinal, instructionId });
      paid.push(instructionId);
    }
    await tellInstructions(context, tx, paid);
    return chainTxId;
  });

/**
 * It moved nothing, which is final: only its nonces are gone. What it was to pay is still owed, or was paid by another
 * since, which is found by itself.
 */
export const adoptInVain = (
  context: Context,
  found: SignedTransaction,
  blockNumber: bigint,
): Promise<string | null> =>
  place(context, found, async (tx, adoption) => {
    const chainTxId = await spend(tx, adoption);
    await markReverted(tx, { chainTxId, hash: found.hash, blockNumber, note: "" });
    return chainTxId;
  });

/** Answers the row of the transaction; null, and nothing is written, when `fill` does or there is no place for it. */
function place(
  context: Context,
  found: SignedTransaction,
  fill: (tx: Tx, adoption: Adoption) => Promise<string | null>,
): Promise<string | null> {
  return transaction(
    context.pool,
    async (tx) => {
      const gas = await readSingleWallet(tx, "gas");
      const order = readOrder(found, gas?.address ?? "");
      if (order === null) return null;
      const wallets = await findWallets(tx, [...new Set([found.from, order.source])]);
      const [sender, source] = [wallets.get(found.from), wallets.get(order.source)];
      if (sender === undefined || source === undefined) return null;
      const standing = await lockNonce(tx, { walletId: sender.id, nonce: found.nonce });
      if (standing !== null && isSame(standing, order)) {
        // A higher fee that was signed since.
        const { id: chainTxId, attempts } = standing;
        await insertAdoptedAttempt(tx, { chainTxId, number: attempts + 1, attempt: found });
        return chainTxId;
      }
      if (!(await free(tx, standing))) return null;
      if (order.authorises !== null) {
        const { nonce } = order.authorises;
        if (!(await free(tx, await lockNonce(tx, { walletId: source.id, nonce })))) return null;
      }
      return fill(tx, { found, order, sender, source });
    },
    { keep: (chainTxId) => chainTxId !== null },
  );
}

const isSame = ({ payments }: Standing, order: Order): boolean =>
  payments.length === order.payments.length &&
  payments.every(({ source, token, destination, amount }, place) => {
    const other = order.payments[place];
    return (
      source === order.source &&
      token === other?.token &&
      destination === other.destination &&
      amount === other.amount
    );
  });

/** A nonce with stored bytes stays what it is; one without had been given back by then. */
async function free(tx: Tx, standing: Standing | null): Promise<boolean> {
  if (standing === null) return true;
  const { wallet_id: walletId, nonce } = standing;
  return (await giveNoncesBack(tx, { walletId, fromNonce: nonce })).length > 0;
}

async function spend(tx: Tx, { found, order, sender, source }: Adoption): Promise<string> {
  const chainTxId = await insertAdopted(tx, { walletId: sender.id, attempt: found });
  if (order.authorises !== null)
    await insertAdoptedAuthorisation(tx, { chainTxId, walletId: source.id, ...order.authorises });
  return chainTxId;
}

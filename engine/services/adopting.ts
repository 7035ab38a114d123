/** Finds the place in the books of a transaction that one of our wallets has signed and the books don't know. */
import { decodeFunctionData, erc20Abi } from "viem";
import type { SignedTransaction } from "../chain/transactions.ts";
import {
  type AdoptedAttempt,
  insertAdopted,
  insertAdoptedAttempt,
  insertLostTopup,
  lockMatching,
  lockNonce,
  type Payload,
} from "../db/adopting.ts";
import { giveNoncesBack } from "../db/nonces.ts";
import { type Tx, transaction } from "../db/pool.ts";
import { findWallets, readSingleWallet } from "../db/wallets.ts";
import { readWalletOwner } from "../db/withdrawals.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { owe } from "./withdrawals.ts";

interface Adoption {
  walletId: string;
  /** Signed by that wallet. */
  found: SignedTransaction;
}

/**
 * Puts it to the instruction that it pays: from then on its block, its failure or its finality are seen as if we had
 * just sent it. Answers its row, or null when nothing in the books asks for it.
 */
export function adopt(context: Context, { walletId, found }: Adoption): Promise<string | null> {
  const payload = payloadOf(found);
  if (payload === null) return Promise.resolve(null);
  const attempt: AdoptedAttempt = found;
  return transaction(
    context.pool,
    async (tx) => {
      const standing = await lockNonce(tx, { walletId, nonce: found.nonce });
      if (standing !== null && isSame(standing, payload)) {
        // A higher fee that was signed since.
        const { chain_tx_id: chainTxId, attempts } = standing;
        await insertAdoptedAttempt(tx, { chainTxId, number: attempts + 1, attempt });
        return chainTxId;
      }
      // A nonce with stored bytes stays what it is; one without had been given back by then.
      if (standing !== null && (await takeNonceBack(tx, { walletId, nonce: found.nonce })) === 0) return null;
      const instructionId =
        (await lockMatching(tx, { walletId, ...payload })) ?? (await remake(context, tx, walletId, payload));
      if (instructionId === null) return null;
      const chainTxId = await insertAdopted(tx, { walletId, instructionId, attempt });
      await tellInstructions(context, tx, [instructionId]);
      return chainTxId;
    },
    { keep: (chainTxId) => chainTxId !== null },
  );
}

const isSame = (a: Payload, b: Payload): boolean =>
  a.token === b.token && a.destination === b.destination && a.amount === b.amount;

async function takeNonceBack(
  tx: Tx,
  { walletId, nonce }: { walletId: string; nonce: bigint },
): Promise<number> {
  return (await giveNoncesBack(tx, { walletId, fromNonce: Number(nonce) })).length;
}

/** What a transaction of the form that we sign moves. */
function payloadOf({ to, value, data }: SignedTransaction): Payload | null {
  if (data === "0x") return { token: null, destination: to, amount: value };
  if (value !== 0n || data.length !== 138) return null;
  try {
    const { functionName, args } = decodeFunctionData({ abi: erc20Abi, data: data as `0x${string}` });
    if (functionName !== "transfer") return null;
    return { token: to, destination: args[0].toLowerCase(), amount: args[1] };
  } catch {
    return null;
  }
}

/**
 * What was asked for after the backup, where it can only have been one thing: ether for a wallet of ours, or a player's
 * withdrawal to a wallet of theirs, which they must not have in the pool as well.
 */
async function remake(
  context: Context,
  tx: Tx,
  walletId: string,
  { token, destination, amount }: Payload,
): Promise<string | null> {
  if (token === null) {
    const gas = await readSingleWallet(tx, "gas");
    const isOurs = (await findWallets(tx, [destination])).has(destination);
    return gas?.id === walletId && isOurs ? insertLostTopup(tx, { walletId, destination, amount }) : null;
  }
  const vault = await readSingleWallet(tx, "vault");
  const playerId = vault?.id === walletId ? await readWalletOwner(tx, destination) : null;
  if (playerId === null) return null;
  const owed = await owe(context, tx, { by: playerId, token, amount, address: destination });
  return owed.ok ? owed.value.instructionId : null;
}

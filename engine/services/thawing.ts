/** Letting a wallet pay again that was frozen, once nothing speaks against it any more. */
import type { z } from "zod";
import { readAgreedNonces } from "../chain/balances.ts";
import { readAgreedReceipt } from "../chain/receipts.ts";
import type { overview } from "../contract/operations.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { lockSuspect, readSuspect, readSuspicions, type SuspectWallet, thawWallet } from "../db/frozen.ts";
import { readUnsettledNonces } from "../db/recovery.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { readOverview } from "./overview.ts";
import { change } from "./transaction.ts";

const mostSaid = 5;

export interface Thaw {
  /** The operator. */
  by: { playerId: string; handle: string };
  walletId: string;
  reason: string;
}

/**
 * Thaws a wallet, audited. Not while a transfer that isn't ours stands in the chain, a breach names it, or the chain knows
 * a nonce of it that the books don't explain; nor while too few providers say so.
 * @returns `not_found`, `wallet_not_frozen`, `wallet_suspect`
 */
export async function thaw(
  context: Context,
  { by, walletId, reason }: Thaw,
): Promise<Result<z.output<typeof overview>>> {
  const seen = checkFrozen(await readSuspect(context.pool, walletId));
  if (!seen.ok) return seen;
  const nonces = await findForeignNonces(context, seen.value);
  if (nonces.length > 0) return suspect(nonces);
  const thawed = await change(context, async (tx) => {
    const wallet = checkFrozen(await lockSuspect(tx, walletId));
    if (!wallet.ok) return wallet;
    const suspicions = await readSuspicions(tx, wallet.value, mostSaid);
    if (suspicions.length > 0) return suspect(suspicions);
    await thawWallet(tx, walletId);
    const { address, frozen_reason: frozenFor } = wallet.value;
    await recordAct(tx, {
      ...{ actor: actorName(by), action: "thaw_wallet", subject: `wallet:${walletId}` },
      detail: { reason, address, frozenFor },
    });
    return accept(null);
  });
  return thawed.ok ? readOverview(context) : thawed;
}

function checkFrozen(wallet: SuspectWallet | null): Result<SuspectWallet> {
  if (wallet === null) return reject("not_found");
  return wallet.frozen_reason === null ? reject("wallet_not_frozen") : accept(wallet);
}

const suspect = (sentences: string[]) => reject("wallet_suspect", { message: sentences.join(" ") });

/** Nonces that are spent on the chain, and not by a transaction of ours that as many providers as must agree know. */
async function findForeignNonces(
  { chain, pool }: Context,
  { id: walletId, address, next_nonce: next }: SuspectWallet,
): Promise<string[]> {
  const told = await readAgreedNonces(chain, address, "latest");
  if (told === null) return ["Too few providers say how many transactions it has sent: try again."];
  const { atMost: spent } = told;
  if (spent > next) return [`It has sent ${spent} transactions, ${next} of them ours.`];
  const foreign: string[] = [];
  for (const { nonce, hashes } of await readUnsettledNonces(pool, { walletId, spent })) {
    const receipts = await Promise.all(hashes.map((hash) => readAgreedReceipt(chain, hash, [])));
    if (!receipts.some((receipt) => "found" in receipt && receipt.found))
      foreign.push(`Nonce ${nonce} was spent by a transaction that isn't known to be ours.`);
  }
  return foreign.slice(0, mostSaid);
}

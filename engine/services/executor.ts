/** Whether the batch executor stands on the chain; the gas wallet puts it there. */
import { executorOf } from "../../wallets/executor.ts";
import { readCode } from "../chain/balances.ts";
import type { Chain } from "../chain/client.ts";
import { mayMoneyLeave } from "../db/breaches.ts";
import { insertDeployment } from "../db/gas-wallet.ts";
import { holdFence } from "../db/lease.ts";
import { transaction } from "../db/pool.ts";
import { readSingleWallet, type WalletRow } from "../db/wallets.ts";
import type { Context, Leadership } from "./context.ts";

export interface Sponsor {
  gasWallet: WalletRow & { address: string };
  executor: string;
  /** The executor's code, for simulations. */
  code: string;
}

/** The executor that this version calls, whether it is there or not; null while there is no gas wallet. */
export async function readOwnExecutor(context: Context): Promise<string | null> {
  const gasWallet = await readSingleWallet(context.pool, "gas");
  return gasWallet === null || gasWallet.address === null ? null : executorOf(gasWallet.address);
}

/** A contract's code doesn't change once it is there. */
const known = new WeakMap<Chain, Sponsor>();
const waiting = new WeakSet<Chain>();

/**
 * The gas wallet and the executor by which it has other wallets pay; null while the executor isn't there. Then its
 * deployment is owed, once, unless nothing may leave now, and goes as soon as the gas wallet has ether; without that
 * nobody could pay anyway.
 */
export async function findSponsor(context: Context, leadership: Leadership): Promise<Sponsor | null> {
  const found = known.get(context.chain);
  if (found !== undefined) return found;
  const gasWallet = await readSingleWallet(context.pool, "gas");
  if (gasWallet === null || gasWallet.address === null) return null;
  const { address } = gasWallet;
  const executor = executorOf(address);
  const code = await readCode(context.chain, executor);
  if (code !== "0x") {
    const sponsor = { gasWallet: { ...gasWallet, address }, executor, code };
    known.set(context.chain, sponsor);
    return sponsor;
  }
  if (!waiting.has(context.chain) && (await mayMoneyLeave(context.pool))) {
    await transaction(context.pool, async (tx) => {
      await holdFence(tx, { name: "chain", fence: leadership.fence });
      await insertDeployment(tx, executor);
    });
    waiting.add(context.chain);
    context.log.warn({ executor, gasWallet: address }, "payouts wait until the executor is deployed");
  }
  return null;
}

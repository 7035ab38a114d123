/** Ether for gas: wallets hold none until they have to send, and get it from the gas wallet. */
import { defaultMaxTopupWei } from "../../wallets/limits.ts";
import { readEther } from "../chain/balances.ts";
import { estimateFees, etherNeeded } from "../chain/fees.ts";
import { insertTopups } from "../db/gas-wallet.ts";
import { holdFence } from "../db/lease.ts";
import { readOpenCosts, readThirstyWallets } from "../db/nonces.ts";
import { transaction } from "../db/pool.ts";
import type { WalletPurpose } from "../db/wallets.ts";
import type { Context, Leadership } from "./context.ts";

/** The signer signs no larger top-up, so that a wallet that needs more gets several. */
const mostPerTopupWei = defaultMaxTopupWei;
const mostTopupsAtOnce = 20;
/** A wallet gets gas for at least so many transfers at once, so that a busy one isn't topped up for each. */
const leastTransfersPerTopup = 2;
/** What is asked for lasts until the base fee has doubled. */
const headroom = 2n;
const walletsAtOnce = 50;

export interface Use {
  gasLimit: bigint;
  /** Wei that the transaction itself brings elsewhere: a top-up's. */
  ether: bigint;
  /** How many instructions it pays: the longer, the dearer its posting. */
  payments: number;
}

/**
 * How many of a wallet's next transactions its ether pays for, in order, beside those that are out already. What is short
 * is asked of the gas wallet; the gas wallet itself waits until somebody refills it.
 */
export async function countPayable(
  context: Context,
  leadership: Leadership,
  wallet: { id: string; address: string; purpose: WalletPurpose },
  uses: Use[],
): Promise<number> {
  const [{ maxFeePerGas }, postingWei, heldWei] = await Promise.all([
    estimateFees(context.chain, { capWei: context.settings.maxFeePerGasWei }),
    etherNeeded(context.chain, { gasLimit: 0n, maxFeePerGas: 0n, transactions: 1 }),
    readEther(context.chain, wallet.address),
  ]);
  const open = await readOpenCosts(context.pool, { walletId: wallet.id, feePerGas: maxFeePerGas });
  const freeWei = heldWei - open.gas - open.ether - BigInt(open.payments) * postingWei;
  const costOf = ({ gasLimit, ether, payments }: Use, feePerGas: bigint): bigint =>
    gasLimit * feePerGas + BigInt(payments) * postingWei + ether;

  let payable = 0;
  let spentWei = 0n;
  for (const use of uses) {
    spentWei += costOf(use, maxFeePerGas);
    if (spentWei > freeWei) break;
    payable += 1;
  }
  if (payable < uses.length && wallet.purpose !== "gas") {
    const asked = uses.reduce((sum, use) => sum + costOf(use, headroom * maxFeePerGas), 0n);
    const least = BigInt(Math.ceil(leastTransfersPerTopup / uses.length));
    await askForEther(context, leadership, wallet.address, asked * least - freeWei);
  }
  return payable;
}

/** Gives ether to wallets whose signed transactions a node refused for want of it. */
export async function quenchThirst(context: Context, leadership: Leadership): Promise<void> {
  const thirsty = await readThirstyWallets(context.pool, walletsAtOnce);
  if (thirsty.length === 0) return;
  const { maxFeePerGas } = await estimateFees(context.chain, { capWei: context.settings.maxFeePerGasWei });
  for (const { wallet_id: walletId, address } of thirsty) {
    const open = await readOpenCosts(context.pool, { walletId, feePerGas: maxFeePerGas });
    const postingWei = await etherNeeded(context.chain, {
      gasLimit: 0n,
      maxFeePerGas: 0n,
      transactions: open.payments,
    });
    const shortWei = open.gas + postingWei - (await readEther(context.chain, address));
    if (shortWei > 0n) await askForEther(context, leadership, address, shortWei * headroom);
  }
}

async function askForEther(
  context: Context,
  leadership: Leadership,
  walletAddress: string,
  wei: bigint,
): Promise<void> {
  const parts: bigint[] = [];
  for (let left = wei; left > 0n && parts.length < mostTopupsAtOnce; left -= mostPerTopupWei)
    parts.push(left < mostPerTopupWei ? left : mostPerTopupWei);
  await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    await insertTopups(tx, { walletAddress, wei: parts });
  });
}

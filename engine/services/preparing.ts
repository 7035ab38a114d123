/** Which queued instructions can go now: funded, not refused by their token, and with ether for gas. */
import { readBalances } from "../chain/balances.ts";
import { allocateNonces } from "../db/allocating.ts";
import { type DueInstruction, readLeaving, readWaysUnderWay } from "../db/due.ts";
import { holdFence, LostLeaseError } from "../db/lease.ts";
import { readOpenCosts } from "../db/nonces.ts";
import { transaction } from "../db/pool.ts";
import { prepareBatches } from "./batching.ts";
import { checkEach } from "./checking.ts";
import type { Context, Leadership } from "./context.ts";
import { readDue } from "./due.ts";
import { findSponsor } from "./executor.ts";
import { areNoncesOurs } from "./foreign-nonces.ts";
import { countPayable } from "./gas.ts";
import { groupBy } from "./groups.ts";

/** Spends nonces on what can be sent; answers on how many instructions. */
export async function prepare(context: Context, leadership: Leadership): Promise<number> {
  const isPlain = context.settings.payouts === "plain";
  const sponsor = isPlain ? null : await findSponsor(context, leadership);
  const due = await readDue(context);
  if (due.length === 0) return 0;
  const ways = await readWaysUnderWay(context.pool, [...new Set(due.map(({ wallet_id }) => wallet_id))]);
  let prepared = 0;
  for (const instructions of groupBy(await keepFunded(context, due), ({ wallet_id }) => wallet_id).values()) {
    const [first] = instructions;
    // The gas wallet pays its own way, always.
    const isAlone = isPlain || first?.wallet_purpose === "gas";
    const payer = isAlone ? null : sponsor;
    if (payer === null && !isAlone) continue;
    const executor = payer?.executor ?? null;
    if (ways.some((way) => way.wallet_id === first?.wallet_id && way.executor !== executor)) continue;
    try {
      prepared +=
        payer === null
          ? await prepareWallet(context, leadership, instructions)
          : await prepareBatches(context, leadership, payer, instructions);
    } catch (error) {
      if (error instanceof LostLeaseError) throw error;
      // A node that doesn't answer says nothing about the instruction: it stays queued.
      context.log.warn({ error, walletId: instructions[0]?.wallet_id }, "payouts of a wallet wait");
    }
  }
  return prepared;
}

/** @param instructions of one wallet, in order */
async function prepareWallet(
  context: Context,
  leadership: Leadership,
  instructions: DueInstruction[],
): Promise<number> {
  const [first] = instructions;
  if (first === undefined) return 0;
  const wallet = { id: first.wallet_id, address: first.wallet_address, purpose: first.wallet_purpose };
  const { nextNonce } = await readOpenCosts(context.pool, { walletId: wallet.id, feePerGas: 0n });
  if (!(await areNoncesOurs(context, { ...wallet, nextNonce }))) return 0;

  const checked = await checkEach(context, leadership, instructions);
  const sendable = checked.flatMap(({ instruction: { id, token, amount }, check }) =>
    check.ok
      ? [{ instructionId: id, gasLimit: check.gasLimit, ether: token === null ? amount : 0n, payments: 1 }]
      : [],
  );
  if (sendable.length === 0) return 0;
  const uses = sendable.slice(0, await countPayable(context, leadership, wallet, sendable));
  if (uses.length === 0) return 0;
  const spent = await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    return allocateNonces(tx, { walletId: wallet.id, uses });
  });
  context.reached("prepared");
  return spent.length;
}

/**
 * In order, as long as each wallet's tokens suffice: what is short waits for a collection or for its game's funding. One
 * question to the chain, however many wallets wait.
 */
async function keepFunded(context: Context, due: DueInstruction[]): Promise<DueInstruction[]> {
  const keyOf = (one: { wallet_id: string; token: string | null }): string => `${one.wallet_id} ${one.token}`;
  const pairs = new Map(
    due.flatMap(({ wallet_id, wallet_address: address, token }) =>
      token === null ? [] : [[keyOf({ wallet_id, token }), { address, token }]],
    ),
  );
  const held = await readBalances(context.chain, [...pairs.values()], "latest");
  const left = new Map([...pairs.keys()].map((key, index) => [key, held[index] ?? 0n]));
  for (const leaving of await readLeaving(context.pool, [...new Set(due.map(({ wallet_id }) => wallet_id))]))
    left.set(keyOf(leaving), (left.get(keyOf(leaving)) ?? 0n) - leaving.amount);
  return due.filter((instruction) => {
    if (instruction.token === null) return true;
    const free = left.get(keyOf(instruction)) ?? 0n;
    if (free < instruction.amount) return false;
    left.set(keyOf(instruction), free - instruction.amount);
    return true;
  });
}

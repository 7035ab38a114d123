/** Which queued instructions can go now: funded, not refused by their token, and with ether for gas. */
import { readBalances } from "../chain/balances.ts";
import { checkTransfer, type TransferCheck } from "../chain/fees.ts";
import { holdFence, LostLeaseError } from "../db/lease.ts";
import { readOpenCosts } from "../db/nonces.ts";
import { transaction } from "../db/pool.ts";
import {
  allocateNonces,
  type DueInstruction,
  parkInstruction,
  readDueInstructions,
  readFlows,
} from "../db/sending.ts";
import type { Context, Leadership } from "./context.ts";
import { areNoncesOurs } from "./foreign-nonces.ts";
import { countPayable } from "./gas.ts";
import { tellInstructions } from "./instruction-events.ts";

const mostAtOnce = 2_000;
const checksAtOnce = 20;
const topupGasLimit = 50_000n;

/** Spends nonces on what can be sent; answers on how many. */
export async function prepare(context: Context, leadership: Leadership): Promise<number> {
  const due = await readDueInstructions(context.pool, { now: new Date(context.clock()), limit: mostAtOnce });
  if (due.length === 0) return 0;
  let prepared = 0;
  for (const instructions of groupBy(await keepFunded(context, due), ({ wallet_id }) => wallet_id).values()) {
    try {
      prepared += await prepareWallet(context, leadership, instructions);
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

  const checked = await inChunks(instructions, checksAtOnce, async (instruction) => ({
    instruction,
    check: await check(context, instruction),
  }));
  for (const { instruction, check: result } of checked) {
    if (!result.ok && result.outcome === "reverts" && !result.shortOfTokens)
      await parkRefused(context, leadership, instruction, result.reason);
  }
  const sendable = checked.flatMap(({ instruction: { id, token, amount }, check: result }) =>
    result.ok ? [{ instructionId: id, gasLimit: result.gasLimit, ether: token === null ? amount : 0n }] : [],
  );
  if (sendable.length === 0) return 0;
  const uses = sendable.slice(0, await countPayable(context, leadership, wallet, sendable));
  if (uses.length === 0) return 0;
  const spent = await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    return allocateNonces(tx, { walletId: wallet.id, uses });
  });
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
  for (const flow of await readFlows(context.pool, [...new Set(due.map(({ wallet_id }) => wallet_id))]))
    left.set(keyOf(flow), (left.get(keyOf(flow)) ?? 0n) - flow.outgoing);
  return due.filter((instruction) => {
    if (instruction.token === null) return true;
    const free = left.get(keyOf(instruction)) ?? 0n;
    if (free < instruction.amount) return false;
    left.set(keyOf(instruction), free - instruction.amount);
    return true;
  });
}

async function check(
  context: Context,
  { token, wallet_address: from, destination: to, amount }: DueInstruction,
): Promise<TransferCheck> {
  if (token === null) return { ok: true, gasLimit: topupGasLimit };
  return checkTransfer(context.chain, { from, token, to, amount });
}

/** Parks what its recipient can't get. When nobody can get anything (the token is paused), it waits for better times. */
async function parkRefused(
  context: Context,
  leadership: Leadership,
  instruction: DueInstruction,
  reason: string,
): Promise<void> {
  const { id: instructionId, token, wallet_address: from } = instruction;
  if (token === null) return;
  const elsewhere = await checkTransfer(context.chain, {
    from,
    token,
    to: context.settings.houseAddress,
    amount: 1n,
  });
  if (!elsewhere.ok) return;
  context.log.warn({ instructionId, reason }, "a token refuses a transfer: it is parked");
  await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    if (await parkInstruction(tx, { instructionId, note: reason }))
      await tellInstructions(context, tx, [instructionId]);
  });
}

function groupBy<Item>(items: Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

async function inChunks<Item, Answer>(
  items: Item[],
  size: number,
  work: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < items.length; at += size)
    answers.push(...(await Promise.all(items.slice(at, at + size).map(work))));
  return answers;
}

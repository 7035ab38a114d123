/** Which queued instructions can go now: funded, not refused by their token, and with ether for gas. */
import { readBalances, readEther } from "../chain/balances.ts";
import { checkTransfer, estimateFees, etherNeeded, type TransferCheck } from "../chain/fees.ts";
import { holdFence } from "../db/lease.ts";
import { transaction } from "../db/pool.ts";
import {
  allocateNonces,
  type DueInstruction,
  insertTopup,
  parkInstruction,
  readDueInstructions,
  readFlows,
} from "../db/sending.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import type { Leadership } from "./sending.ts";

const mostAtOnce = 500;
const checksAtOnce = 20;
const topupGasLimit = 50_000n;
/** A wallet gets gas for at least so many transfers at once, so that a busy one isn't topped up for each. */
const leastTransfersPerTopup = 2;

/** Spends nonces on what can be sent; answers on how many. */
export async function prepare(context: Context, leadership: Leadership): Promise<number> {
  const due = await readDueInstructions(context.pool, { now: new Date(context.clock()), limit: mostAtOnce });
  if (due.length === 0) return 0;
  let prepared = 0;
  for (const [walletId, instructions] of groupBy(due, ({ wallet_id }) => wallet_id)) {
    try {
      prepared += await prepareWallet(context, leadership, walletId, instructions);
    } catch (error) {
      // A node that doesn't answer says nothing about the instruction: it stays queued.
      context.log.warn({ error, walletId }, "payouts of a wallet wait");
    }
  }
  return prepared;
}

async function prepareWallet(
  context: Context,
  leadership: Leadership,
  walletId: string,
  instructions: DueInstruction[],
): Promise<number> {
  const funded = await keepFunded(context, walletId, instructions);
  const checked = await inChunks(funded, checksAtOnce, async (instruction) => ({
    instruction,
    check: await check(context, instruction),
  }));
  const refused = checked.flatMap(({ instruction, check: result }) =>
    !result.ok && result.outcome === "reverts" && !result.shortOfTokens
      ? [{ instruction, reason: result.reason }]
      : [],
  );
  await park(context, leadership, refused);
  const sendable = checked.flatMap(({ instruction, check: result }) =>
    result.ok ? [{ instructionId: instruction.id, gasLimit: result.gasLimit }] : [],
  );
  const [first] = instructions;
  if (sendable.length === 0 || first === undefined) return 0;
  if (first.kind !== "topup" && !(await hasGas(context, leadership, first.wallet_address, sendable)))
    return 0;
  const spent = await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    return allocateNonces(tx, { walletId, uses: sendable });
  });
  return spent.length;
}

/** In order, as long as the wallet's tokens suffice: what is short waits for a collection or for its game's funding. */
async function keepFunded(
  context: Context,
  walletId: string,
  instructions: DueInstruction[],
): Promise<DueInstruction[]> {
  const tokens = [...new Set(instructions.flatMap(({ token }) => (token === null ? [] : [token])))];
  const [first] = instructions;
  if (tokens.length === 0 || first === undefined) return instructions;
  const held = await readBalances(
    context.chain,
    tokens.map((token) => ({ token, address: first.wallet_address })),
    "latest",
  );
  const flows = await readFlows(context.pool, [walletId]);
  const left = new Map(
    tokens.map((token, index) => [
      token,
      (held[index] ?? 0n) - (flows.find((flow) => flow.token === token)?.outgoing ?? 0n),
    ]),
  );
  return instructions.filter(({ token, amount }) => {
    const free = left.get(token ?? "") ?? 0n;
    if (token === null || free < amount) return token === null;
    left.set(token, free - amount);
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

async function park(
  context: Context,
  leadership: Leadership,
  refused: { instruction: DueInstruction; reason: string }[],
): Promise<void> {
  for (const { instruction, reason } of refused) {
    context.log.warn({ instructionId: instruction.id, reason }, "a token refuses a transfer: it is parked");
    await transaction(context.pool, async (tx) => {
      await holdFence(tx, { name: "chain", fence: leadership.fence });
      if (await parkInstruction(tx, { instructionId: instruction.id, note: reason }))
        await tellInstructions(context, tx, [instruction.id]);
    });
  }
}

/** True when the wallet can pay for all of them; otherwise it asks the gas wallet for ether and waits. */
async function hasGas(
  context: Context,
  leadership: Leadership,
  address: string,
  uses: { gasLimit: bigint }[],
): Promise<boolean> {
  const { maxFeePerGas } = await estimateFees(context.chain, { capWei: context.settings.maxFeePerGasWei });
  const gasLimit = uses.reduce((most, use) => (use.gasLimit > most ? use.gasLimit : most), 0n);
  const needed = await etherNeeded(context.chain, { gasLimit, maxFeePerGas, transactions: uses.length });
  const held = await readEther(context.chain, address);
  if (held >= needed) return true;
  const transactions = Math.max(leastTransfersPerTopup, uses.length);
  const wanted = await etherNeeded(context.chain, {
    gasLimit,
    maxFeePerGas: 2n * maxFeePerGas,
    transactions,
  });
  await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    await insertTopup(tx, { walletAddress: address, wei: wanted - held });
  });
  return false;
}

function groupBy<Item>(items: Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
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

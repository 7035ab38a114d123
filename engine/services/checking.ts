/** Which instructions their tokens would carry out as things stand, each by itself. */
import { checkTransfer, type TransferCheck } from "../chain/fees.ts";
import { type DueInstruction, parkInstruction } from "../db/due.ts";
import { holdFence } from "../db/lease.ts";
import { transaction } from "../db/pool.ts";
import type { Context, Leadership } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";

const checksAtOnce = 20;
const topupGasLimit = 50_000n;
/** It takes some 560,000. */
const deploymentGasLimit = 700_000n;

/** Simulates each, and parks those that a recipient can't get. */
export async function checkEach(
  context: Context,
  leadership: Leadership,
  instructions: DueInstruction[],
): Promise<{ instruction: DueInstruction; check: TransferCheck }[]> {
  const checked = await inChunks(instructions, checksAtOnce, async (instruction) => ({
    instruction,
    check: await check(context, instruction),
  }));
  for (const { instruction, check: result } of checked) {
    if (!result.ok && result.outcome === "reverts" && !result.shortOfTokens)
      await parkRefused(context, leadership, instruction, result.reason);
  }
  return checked;
}

async function check(
  context: Context,
  { kind, token, wallet_address: from, destination: to, amount }: DueInstruction,
): Promise<TransferCheck> {
  if (kind === "deploy") return { ok: true, gasLimit: deploymentGasLimit };
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

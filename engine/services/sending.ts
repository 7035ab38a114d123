/**
 * Paying once. Each step leaves the database in a state from which a fresh process goes on:
 *
 *   queued → nonce spent (`prepare`) → signed and stored (`sign`) → broadcast (`send`) → mined → final
 *
 * Nothing is broadcast whose bytes aren't committed; an answer of a node is never taken for "not sent"; the same nonce
 * and the same payload are used until a block holds one of the attempts.
 */
import { bump, estimateFees, type Fees } from "../chain/fees.ts";
import { broadcastMany } from "../chain/send.ts";
import { mayMoneyLeave } from "../db/breaches.ts";
import { holdFence } from "../db/lease.ts";
import { transaction } from "../db/pool.ts";
import {
  type NewAttempt,
  readStuck,
  readUnsent,
  readUnsigned,
  recordAnswers,
  storeAttempts,
  type Unsigned,
} from "../db/sending.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { prepare } from "./preparing.ts";

/** The newest lease's number; work under an older one is refused. */
export interface Leadership {
  fence: number;
}

const mostAtOnce = 500;

/** One round of everything; answers whether something was done. */
export async function sendRound(context: Context, leadership: Leadership): Promise<boolean> {
  if (!(await mayMoneyLeave(context.pool))) return false;
  const prepared = await prepare(context, leadership);
  const signed = await signWhatIsPrepared(context, leadership);
  const raised = await raiseStuckFees(context, leadership);
  const sent = await sendWhatIsSigned(context, leadership);
  return prepared + signed + raised + sent > 0;
}

/** Signs the first attempt of every spent nonce that has none. Signing happens outside of any transaction. */
export async function signWhatIsPrepared(context: Context, leadership: Leadership): Promise<number> {
  const waiting = await readUnsigned(context.pool, mostAtOnce);
  if (waiting.length === 0) return 0;
  const fees = await estimateFees(context.chain, { capWei: context.settings.maxFeePerGasWei });
  return signAttempts(context, leadership, waiting, () => fees);
}

/** The same nonce and payload with higher fees, for what has been out for too long. */
export async function raiseStuckFees(context: Context, leadership: Leadership): Promise<number> {
  const signedBefore = new Date(context.clock() - context.settings.stuckAfterMs);
  const stuck = await readStuck(context.pool, { signedBefore, limit: mostAtOnce });
  if (stuck.length === 0) return 0;
  const capWei = context.settings.maxFeePerGasWei;
  const market = await estimateFees(context.chain, { capWei });
  const raised = stuck.filter(({ max_fee_per_gas: last }) => last !== null && last < capWei);
  return signAttempts(context, leadership, raised, (last) =>
    last === null ? market : higher(bump(last, { capWei }), market),
  );
}

const higher = (a: Fees, b: Fees): Fees => ({
  maxFeePerGas: a.maxFeePerGas > b.maxFeePerGas ? a.maxFeePerGas : b.maxFeePerGas,
  maxPriorityFeePerGas:
    a.maxPriorityFeePerGas > b.maxPriorityFeePerGas ? a.maxPriorityFeePerGas : b.maxPriorityFeePerGas,
});

async function signAttempts(
  context: Context,
  leadership: Leadership,
  waiting: Unsigned[],
  feesOf: (last: Fees | null) => Fees,
): Promise<number> {
  const attempts: NewAttempt[] = [];
  for (const one of waiting) {
    const { max_fee_per_gas: maxFeePerGas, max_priority_fee_per_gas: maxPriorityFeePerGas } = one;
    const last =
      maxFeePerGas === null || maxPriorityFeePerGas === null ? null : { maxFeePerGas, maxPriorityFeePerGas };
    const fees = feesOf(last);
    try {
      const { raw, hash } = await context.signer.sign({
        instructionId: one.instruction_id,
        wallet: { purpose: one.purpose, index: one.derivation_index },
        nonce: one.nonce,
        gasLimit: one.gas_limit,
        ...fees,
      });
      attempts.push({
        hash,
        raw,
        chainTxId: one.chain_tx_id,
        number: one.attempts + 1,
        ...fees,
        createdAt: new Date(context.clock()),
      });
    } catch (error) {
      // The nonce is spent: this one and the wallet's later ones wait until the signer agrees (limits, a pause).
      context.log.error({ error, instructionId: one.instruction_id }, "the signer refuses");
    }
  }
  if (attempts.length === 0) return 0;
  await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    await storeAttempts(tx, attempts);
  });
  return attempts.length;
}

/** Sends what was never sent, and again what has been out for a while: the same bytes, which is harmless. */
export async function sendWhatIsSigned(context: Context, leadership: Leadership): Promise<number> {
  const sentBefore = new Date(context.clock() - context.settings.resendAfterMs);
  const unsent = await readUnsent(context.pool, { sentBefore, limit: mostAtOnce });
  if (unsent.length === 0) return 0;
  const outcomes = await broadcastMany(
    context.chain,
    unsent.map(({ raw }) => raw),
  );
  const sentAt = new Date(context.clock());
  await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    const answers = unsent.map(({ hash }, index) => {
      const outcome = outcomes[index] ?? { outcome: "unknown" as const, detail: "" };
      return { hash, answer: "detail" in outcome ? `unknown: ${outcome.detail}` : outcome.outcome, sentAt };
    });
    await recordAnswers(tx, answers);
    await tellInstructions(
      context,
      tx,
      unsent.filter(({ first }) => first).map(({ instruction_id: id }) => id),
    );
  });
  context.nudge();
  return unsent.length;
}

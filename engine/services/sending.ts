/**
 * Paying once. Each step leaves the database in a state from which a fresh process goes on:
 *
 *   queued → nonce spent (`prepare`) → signed and stored (`sign`) → broadcast (`send`) → mined → final
 *
 * Nothing is broadcast whose bytes aren't committed; an answer of a node is never taken for "not sent"; the same nonce
 * and the same payload are used until a block holds one of the attempts.
 */
import { SigningRefusedError } from "../../wallets/policy-codes.ts";
import type { SignedTransaction } from "../../wallets/signer.ts";
import { bump, estimateFees, type Fees } from "../chain/fees.ts";
import { broadcastMany } from "../chain/send.ts";
import {
  type NewAttempt,
  readStuck,
  readUnsent,
  readUnsigned,
  recordAnswers,
  storeAttempts,
  type Unsigned,
} from "../db/attempts.ts";
import { mayMoneyLeave } from "../db/breaches.ts";
import { isAnythingToSend, parkInstruction } from "../db/due.ts";
import { holdFence } from "../db/lease.ts";
import { giveNoncesBack, postponeInstructions } from "../db/nonces.ts";
import { transaction } from "../db/pool.ts";
import type { Context, Leadership } from "./context.ts";
import { findSponsor, readOwnExecutor } from "./executor.ts";
import { quenchThirst } from "./gas.ts";
import { tellInstructions } from "./instruction-events.ts";
import { prepare } from "./preparing.ts";

const mostAtOnce = 500;
/** The gas wallet isn't frozen, but the wallet that it would have pay is. */
const frozenSource = { code: "paused", message: "the wallet is frozen" } as const;
/** What the signer won't sign now (a limit of the hour, a pause) is tried again after so long. */
const refusedForMs = 30_000;

/** One round of everything; answers whether something was done. */
export async function sendRound(context: Context, leadership: Leadership): Promise<boolean> {
  // Looked for before there is something to pay: the executor may have to be deployed first.
  if (context.settings.payouts === "batch") await findSponsor(context, leadership);
  if (!(await isAnythingToSend(context.pool, momentsOf(context)))) return false;
  if (!(await mayMoneyLeave(context.pool))) return false;
  const prepared = await prepare(context, leadership);
  const signed = await signWhatIsPrepared(context, leadership);
  const raised = await raiseStuckFees(context, leadership);
  const sent = await sendWhatIsSigned(context, leadership);
  await quenchThirst(context, leadership);
  return prepared + signed + raised + sent > 0;
}

/** What was sent before the one is sent again, what was signed before the other gets higher fees. */
function momentsOf({ clock, settings }: Context): { now: Date; sentBefore: Date; signedBefore: Date } {
  const now = clock();
  return {
    now: new Date(now),
    sentBefore: new Date(now - settings.resendAfterMs),
    signedBefore: new Date(now - settings.stuckAfterMs),
  };
}

/** Signs the first attempt of every spent nonce that has none. Signing happens outside of any transaction. */
export async function signWhatIsPrepared(context: Context, leadership: Leadership): Promise<number> {
  const waiting = await readUnsigned(context.pool, mostAtOnce);
  if (waiting.length === 0) return 0;
  const fees = await estimateFees(context.chain, { capWei: context.settings.maxFeePerGasWei });
  return signAttempts(context, leadership, waiting, () => fees);
}

/**
 * The same nonce and payload with higher fees, for what has been out for too long; but not a batch for the executor of
 * another version, which only that one can sign.
 */
export async function raiseStuckFees(context: Context, leadership: Leadership): Promise<number> {
  const { signedBefore } = momentsOf(context);
  const stuck = await readStuck(context.pool, { signedBefore, limit: mostAtOnce });
  if (stuck.length === 0) return 0;
  const capWei = context.settings.maxFeePerGasWei;
  const market = await estimateFees(context.chain, { capWei });
  const own = await readOwnExecutor(context);
  const raised = stuck.filter(
    ({ max_fee_per_gas: last, source_id: source, wallet_id: sender, executor }) =>
      last !== null && last < capWei && (source === sender || executor === own),
  );
  return signAttempts(context, leadership, raised, (last) =>
    last === null ? market : higher(bump(last, { capWei }), market),
  );
}

const higher = (a: Fees, b: Fees): Fees => ({
  maxFeePerGas: a.maxFeePerGas > b.maxFeePerGas ? a.maxFeePerGas : b.maxFeePerGas,
  maxPriorityFeePerGas:
    a.maxPriorityFeePerGas > b.maxPriorityFeePerGas ? a.maxPriorityFeePerGas : b.maxPriorityFeePerGas,
});

/** One after the other within a wallet: behind a nonce that isn't signed, none may be. */
async function signAttempts(
  context: Context,
  leadership: Leadership,
  waiting: Unsigned[],
  feesOf: (last: Fees | null) => Fees,
): Promise<number> {
  const attempts: NewAttempt[] = [];
  const stopped = new Map<string, Refusal | null>();
  for (const one of waiting) {
    if (stopped.has(one.wallet_id)) continue;
    try {
      if (one.source_frozen && one.attempts === 0) throw new SigningRefusedError(frozenSource);
      attempts.push(await signOne(context, one, feesOf));
    } catch (error) {
      const { wallet_id: walletId, nonce } = one;
      const refused = error instanceof SigningRefusedError ? error : null;
      const instructionId = refused?.instructionId ?? one.instruction_ids[0] ?? "";
      context.log.error({ error, instructionId }, "a transaction can't be signed");
      const isRefused = refused !== null && one.attempts === 0;
      stopped.set(walletId, isRefused ? { walletId, instructionId, nonce, error: refused } : null);
    }
  }
  if (attempts.length > 0) {
    context.reached("signed");
    await transaction(context.pool, async (tx) => {
      await holdFence(tx, { name: "chain", fence: leadership.fence });
      await storeAttempts(tx, attempts);
    });
    context.reached("stored");
  }
  for (const refusal of stopped.values()) {
    if (refusal !== null) await takeRefusedOut(context, leadership, refusal);
  }
  return attempts.length;
}

async function signOne(
  context: Context,
  one: Unsigned,
  feesOf: (last: Fees | null) => Fees,
): Promise<NewAttempt> {
  const { max_fee_per_gas: maxFeePerGas, max_priority_fee_per_gas: maxPriorityFeePerGas } = one;
  const last =
    maxFeePerGas === null || maxPriorityFeePerGas === null ? null : { maxFeePerGas, maxPriorityFeePerGas };
  const fees = feesOf(last);
  const { raw, hash } = await signWith(context, one, { nonce: one.nonce, gasLimit: one.gas_limit, ...fees });
  const createdAt = new Date(context.clock());
  return { hash, raw, chainTxId: one.chain_tx_id, number: one.attempts + 1, ...fees, createdAt };
}

/** By the wallet that pays, or by the gas wallet that has it pay. */
async function signWith(
  context: Context,
  one: Unsigned,
  terms: Fees & { nonce: number; gasLimit: bigint },
): Promise<SignedTransaction> {
  const sender = { purpose: one.purpose, index: one.derivation_index };
  const { instruction_ids: instructionIds } = one;
  const [instructionId = ""] = instructionIds;
  if (one.source_id === one.wallet_id)
    return context.signer.sign({ instructionId, wallet: sender, ...terms });
  return context.signer.signBatch({
    instructionIds,
    wallet: { purpose: one.source_purpose, index: one.source_index },
    authorisationNonce: one.authorisation_nonce,
    executor: one.executor,
    gasWallet: sender,
    ...terms,
  });
}

interface Refusal {
  walletId: string;
  instructionId: string;
  nonce: number;
  error: SigningRefusedError;
}

/**
 * What the signer refuses must not hold up what comes after it: its nonce and the unsigned ones behind it go back, it is
 * parked (or, where waiting helps, put off, with all others of its batch for which the hour's limit has no room), and the
 * others get their nonces in the next round.
 */
async function takeRefusedOut(
  context: Context,
  leadership: Leadership,
  { walletId, instructionId, nonce, error }: Refusal,
): Promise<void> {
  await transaction(context.pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence: leadership.fence });
    const returned = await giveNoncesBack(tx, { walletId, fromNonce: nonce });
    if (!returned.includes(instructionId)) return;
    const note = `the signer refuses: ${error.message}`;
    if (error.retriable) {
      const until = new Date(context.clock() + refusedForMs);
      const instructionIds = [...new Set([instructionId, ...error.withoutRoom])];
      await postponeInstructions(tx, { instructionIds, until, note });
    } else if (await parkInstruction(tx, { instructionId, note })) {
      await tellInstructions(context, tx, [instructionId]);
    }
  });
  context.nudge();
}

/** Sends what was never sent, and again what has been out for a while: the same bytes, which is harmless. */
export async function sendWhatIsSigned(context: Context, leadership: Leadership): Promise<number> {
  const { sentBefore } = momentsOf(context);
  const unsent = await readUnsent(context.pool, { sentBefore, limit: mostAtOnce });
  if (unsent.length === 0) return 0;
  const outcomes = await broadcastMany(
    context.chain,
    unsent.map(({ raw }) => raw),
  );
  context.reached("given");
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
      unsent.filter(({ first }) => first).flatMap(({ instruction_ids: ids }) => ids),
    );
  });
  context.nudge();
  return unsent.length;
}

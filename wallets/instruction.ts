/** What the signer is asked with, and the committed instruction that it reads for itself. Plain data: it crosses processes. */
import { z } from "zod";
import { maximumIndex, walletPurposes } from "./derivation.ts";

const maximumUint256 = (1n << 256n) - 1n;
const address = z.string().regex(/^0x[0-9a-f]{40}$/);
const instructionId = z.string().min(1).max(100);
const nonce = z.int().min(0);

export const walletRefSchema = z.strictObject({
  purpose: z.enum(walletPurposes),
  index: z.int().min(0).max(maximumIndex),
});

/**
 * A request to sign one attempt of an instruction. It names no recipient, token or amount, and a request that tries to
 * (any field not listed) is refused: the signer takes those from the committed instruction alone.
 */
export const signRequestSchema = z.strictObject({
  instructionId,
  wallet: walletRefSchema,
  nonce,
  /** From the bare cost of a transaction to far more than any transfer takes. */
  gasLimit: z.bigint().min(21_000n).max(2_000_000n),
  /** Wei per unit of gas. */
  maxFeePerGas: z.bigint().min(1n).max(maximumUint256),
  maxPriorityFeePerGas: z.bigint().min(0n).max(maximumUint256),
});

export const instructionKinds = [
  "collect",
  "fund",
  "settle",
  "payout",
  "withdrawal",
  "sweep",
  "refund",
  "topup",
] as const;
export type InstructionKind = (typeof instructionKinds)[number];

/** A chain transfer that we owe, as it stands committed in the database. */
export const committedInstructionSchema = z.object({
  id: instructionId,
  kind: z.enum(instructionKinds),
  /** Only `queued` and `sending` may be signed. */
  state: z.string().max(40),
  /** Lower case, as every address here. */
  sourceAddress: address,
  /** The ERC-20 contract, or null for native ETH (a top-up of gas). */
  token: address.nullable(),
  destination: address,
  /** Base units of the token, or wei. */
  amount: z.bigint().min(-maximumUint256).max(maximumUint256),
  /**
   * The last nonce of this instruction that was used up in a final block by a transaction that failed, if there was one.
   * Only then may the instruction be signed with a later nonce: a second nonce for one instruction is how people pay twice.
   */
  revertedNonce: nonce.nullish(),
});
export type CommittedInstruction = z.infer<typeof committedInstructionSchema>;

/** See {@link signRequestSchema}. Fees are wei per unit of gas. */
export interface SignRequest {
  instructionId: string;
  wallet: z.infer<typeof walletRefSchema>;
  nonce: number;
  gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

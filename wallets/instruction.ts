/** What the signer is asked with, and the committed instruction that it reads for itself. Plain data: it crosses processes. */
import { z } from "zod";
import { maximumIndex, walletPurposes } from "./derivation.ts";

const maximumUint256 = (1n << 256n) - 1n;
const address = z.string().regex(/^0x[0-9a-f]{40}$/);
const instructionId = z.string().min(1).max(100);
const nonce = z.int().min(0);
const fees = {
  /** Wei per unit of gas. */
  maxFeePerGas: z.bigint().min(1n).max(maximumUint256),
  maxPriorityFeePerGas: z.bigint().min(0n).max(maximumUint256),
};

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
  ...fees,
});

/** More would make a transaction that few blocks have room for. */
export const mostPaymentsTogether = 150;

/**
 * A request to sign one attempt of a transaction of the gas wallet that has another wallet of ours pay several
 * instructions. As strict as for one: all of what is paid comes from the committed instructions.
 */
export const batchRequestSchema = z.strictObject({
  /** In the order in which they are paid. */
  instructionIds: z
    .array(instructionId)
    .min(1)
    .max(mostPaymentsTogether)
    .refine((ids) => new Set(ids).size === ids.length),
  wallet: walletRefSchema,
  /** The nonce of `wallet` that its authorisation of the executor spends; null when it has authorised it before. */
  authorisationNonce: nonce.nullable(),
  /** The executor that `wallet` runs, or will with its authorisation: what another version has prepared may be for another one. */
  executor: address.nullable(),
  gasWallet: walletRefSchema,
  /** Of the gas wallet. */
  nonce,
  gasLimit: z.bigint().min(21_000n).max(16_000_000n),
  ...fees,
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
  "deploy",
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
  /** The ERC-20 contract, or null for native ETH (a top-up of gas) and for the deployment of the executor. */
  token: address.nullable(),
  destination: address,
  /** Base units of the token, or wei. */
  amount: z.bigint().min(-maximumUint256).max(maximumUint256),
  /**
   * The last nonce, and whose, that was used up for this instruction in a final block by a transaction that failed, if there
   * was one. Only then may it be signed with another: a second nonce for one instruction is how people pay twice.
   */
  failed: z.object({ sender: address, nonce }).nullish(),
});
export type CommittedInstruction = z.infer<typeof committedInstructionSchema>;

/** See {@link batchRequestSchema}. Fees are wei per unit of gas. */
export interface BatchSignRequest {
  instructionIds: string[];
  wallet: z.infer<typeof walletRefSchema>;
  authorisationNonce: number | null;
  executor: string | null;
  gasWallet: z.infer<typeof walletRefSchema>;
  nonce: number;
  gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

/** See {@link signRequestSchema}. Fees are wei per unit of gas. */
export interface SignRequest {
  instructionId: string;
  wallet: z.infer<typeof walletRefSchema>;
  nonce: number;
  gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

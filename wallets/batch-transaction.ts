/** From a batch of instructions to the gas wallet's transaction, and back; as in transaction.ts, what encodes doesn't decode. */
import { type Signature, Transaction, verifyAuthorization } from "ethers";
import { parseTransaction } from "viem";
import { type Payment, paymentsCall } from "./executor.ts";
import type { BatchSignRequest, CommittedInstruction } from "./instruction.ts";
import { baseChainId } from "./policy.ts";
import { SigningRefusedError } from "./policy-codes.ts";
import { assertFields, SignedBytesError, type SignedTransaction, words } from "./transaction.ts";

/** What a batch pays, as committed. Addresses are lower case. */
export interface Batch {
  sourceAddress: string;
  token: string;
  payments: readonly Payment[];
  executor: string;
}

export interface Authorization {
  chainId: number;
  address: string;
  nonce: number;
}

/**
 * What all instructions of a batch have in common: who pays, and one token, so that each transfer's log has its place.
 * @throws SigningRefusedError `batch_mixed`
 */
export function batchOf(
  instructions: readonly CommittedInstruction[],
  { sourceAddress, executor }: Pick<Batch, "sourceAddress" | "executor">,
): Batch {
  const [first] = instructions;
  const token = first?.token ?? null;
  const odd = token === null ? first : instructions.find((one) => one.token !== token);
  if (token === null || odd !== undefined) {
    const rejection = { code: "batch_mixed", message: "A batch pays one token." } as const;
    throw new SigningRefusedError(rejection, odd?.id ?? null);
  }
  const payments = instructions.map(({ destination, amount }) => ({ destination, amount }));
  return { sourceAddress, token, payments, executor };
}

/** What the source wallet signs so that it runs the executor; null when it does already. */
export const authorizationOf = (
  { authorisationNonce: nonce }: BatchSignRequest,
  { executor }: Batch,
): Authorization | null => (nonce === null ? null : { chainId: baseChainId, address: executor, nonce });

/** The gas wallet's transaction that has the source wallet pay. */
export function buildBatchTransaction(
  request: BatchSignRequest,
  batch: Batch,
  authorizations: (Authorization & { signature: Signature })[],
): Transaction {
  return Transaction.from({
    type: authorizations.length === 0 ? 2 : 4,
    chainId: baseChainId,
    nonce: request.nonce,
    gasLimit: request.gasLimit,
    maxFeePerGas: request.maxFeePerGas,
    maxPriorityFeePerGas: request.maxPriorityFeePerGas,
    accessList: [],
    to: batch.sourceAddress,
    value: 0n,
    data: paymentsCall(batch.token, batch.payments),
    ...(authorizations.length === 0 ? {} : { authorizationList: authorizations.map(inWideNumbers) }),
  });
}

const inWideNumbers = ({ chainId, nonce, ...rest }: Authorization & { signature: Signature }) => ({
  ...rest,
  chainId: BigInt(chainId),
  nonce: BigInt(nonce),
});

/**
 * Decodes signed bytes and compares every field, the authorisation and who signed it included.
 * @throws SignedBytesError with the first field that differs
 */
export function assertBatchBytes(signed: SignedTransaction, request: BatchSignRequest, batch: Batch): void {
  const expected = authorizationOf(request, batch);
  assertFields(signed, request, {
    type: expected === null ? "eip1559" : "eip7702",
    to: batch.sourceAddress,
    value: 0n,
    data: writtenByHand(batch),
  });
  const { authorizationList = [] } = parseTransaction(signed.raw as `0x04${string}`);
  if (authorizationList.length !== (expected === null ? 0 : 1)) throw new SignedBytesError("authorizations");
  for (const { chainId, address, nonce, r, s, yParity } of authorizationList) {
    const isExpected =
      chainId === expected?.chainId &&
      address.toLowerCase() === expected.address &&
      nonce === expected.nonce &&
      (yParity === 0 || yParity === 1) &&
      verifyAuthorization({ chainId, address, nonce }, { r, s, yParity }).toLowerCase() ===
        batch.sourceAddress;
    if (!isExpected) throw new SignedBytesError("authorization");
  }
}

/** `execute(bytes32,bytes)`, the mode, where the bytes begin and how many there are; then these, filled up to a whole word. */
function writtenByHand({ token, payments }: Batch): string {
  const longest = payments.reduce((most, { amount }) => (amount > most ? amount : most), 1n);
  const amountSize = Math.ceil(longest.toString(16).length / 2);
  const digits = 2 * amountSize;
  const body = payments.map(
    ({ destination, amount }) => destination.slice(2) + amount.toString(16).padStart(digits, "0"),
  );
  const data = `${amountSize.toString(16).padStart(2, "0")}${token.slice(2)}${body.join("")}`;
  const head = `e9ae5c5301000000000070617973${"0".repeat(44)}${words(0x40n, BigInt(data.length / 2))}`;
  return `0x${head}${data.padEnd(Math.ceil(data.length / 64) * 64, "0")}`;
}

/**
 * From an instruction to bytes, and back. ethers encodes and viem decodes, so that a mistake in one of them can't hide
 * in the other: the bytes that leave are compared with the instruction, not with what was meant to be encoded.
 */
import { Interface, keccak256, Transaction } from "ethers";
import { parseTransaction } from "viem";
import type { CommittedInstruction, SignRequest } from "./instruction.ts";
import { baseChainId } from "./policy.ts";

const erc20 = new Interface(["function transfer(address to, uint256 amount) returns (bool)"]);

/** Signed bytes, ready for `eth_sendRawTransaction`, and their hash. Lower-case hex. */
export interface SignedTransaction {
  raw: `0x${string}`;
  hash: `0x${string}`;
}

/** The signed bytes aren't what the instruction says. A bug of ours or of a library: nothing was handed out. */
export class SignedBytesError extends Error {
  override readonly name = "SignedBytesError";
  constructor(readonly field: string) {
    super(`The signed transaction differs from its instruction in ${field}; it was thrown away.`);
  }
}

/** The one transaction that pays an instruction: an ERC-20 `transfer` without value, or plain ETH for a top-up. */
export function buildTransaction(request: SignRequest, instruction: CommittedInstruction): Transaction {
  const { token, destination, amount } = instruction;
  return Transaction.from({
    type: 2,
    chainId: baseChainId,
    nonce: request.nonce,
    gasLimit: request.gasLimit,
    maxFeePerGas: request.maxFeePerGas,
    maxPriorityFeePerGas: request.maxPriorityFeePerGas,
    accessList: [],
    ...(token === null
      ? { to: destination, value: amount, data: "0x" }
      : { to: token, value: 0n, data: erc20.encodeFunctionData("transfer", [destination, amount]) }),
  });
}

/**
 * Decodes signed bytes and compares every field.
 * @throws SignedBytesError with the first field that differs
 */
export function assertSignedBytes(
  signed: SignedTransaction,
  request: SignRequest,
  instruction: CommittedInstruction,
): void {
  const decoded = parseTransaction(signed.raw as `0x02${string}`);
  const { token, destination, amount } = instruction;
  const expected: Record<string, string | number | bigint> = {
    type: "eip1559",
    chainId: baseChainId,
    nonce: request.nonce,
    gas: request.gasLimit,
    maxFeePerGas: request.maxFeePerGas,
    maxPriorityFeePerGas: request.maxPriorityFeePerGas,
    to: token ?? destination,
    value: token === null ? amount : 0n,
    data: token === null ? "0x" : transferCall({ destination, amount }),
    accessListLength: 0,
  };
  const actual: Record<string, string | number | bigint | undefined> = {
    type: decoded.type,
    chainId: decoded.chainId,
    nonce: decoded.nonce,
    gas: decoded.gas,
    maxFeePerGas: decoded.maxFeePerGas,
    // viem leaves out fields that are encoded as zero.
    maxPriorityFeePerGas: decoded.maxPriorityFeePerGas ?? 0n,
    to: decoded.to?.toLowerCase(),
    value: decoded.value ?? 0n,
    data: decoded.data ?? "0x",
    accessListLength: decoded.accessList?.length ?? 0,
  };
  for (const [field, value] of Object.entries(expected)) {
    if (actual[field] !== value) throw new SignedBytesError(field);
  }
  if (keccak256(signed.raw) !== signed.hash) throw new SignedBytesError("hash");
}

/**
 * Recovers the sender of signed bytes.
 * @throws SignedBytesError when it isn't `sourceAddress`
 */
export function assertSender(signed: SignedTransaction, sourceAddress: string): void {
  if (Transaction.from(signed.raw).from?.toLowerCase() !== sourceAddress)
    throw new SignedBytesError("sender");
}

/** The calldata written out by hand: selector of `transfer(address,uint256)`, then two words. */
function transferCall({ destination, amount }: { destination: string; amount: bigint }): string {
  return `0xa9059cbb${destination.slice(2).padStart(64, "0")}${amount.toString(16).padStart(64, "0")}`;
}

/**
 * From an instruction to bytes, and back. ethers encodes and viem decodes, so that a mistake in one of them can't hide
 * in the other: the bytes that leave are compared with the instruction, not with what was meant to be encoded.
 */
import { Interface, keccak256, Transaction } from "ethers";
import { getContractAddress, parseTransaction } from "viem";
import { deploymentData, deploymentProxy } from "./executor.ts";
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

/**
 * The one transaction that pays an instruction: an ERC-20 `transfer` without value, or plain ETH for a top-up. A deployment
 * goes to the deterministic deployer.
 */
export function buildTransaction(request: SignRequest, instruction: CommittedInstruction): Transaction {
  return Transaction.from({
    type: 2,
    chainId: baseChainId,
    nonce: request.nonce,
    gasLimit: request.gasLimit,
    maxFeePerGas: request.maxFeePerGas,
    maxPriorityFeePerGas: request.maxPriorityFeePerGas,
    accessList: [],
    ...callOf(instruction),
  });
}

function callOf({ kind, sourceAddress, token, destination, amount }: CommittedInstruction): {
  to: string;
  value: bigint;
  data: string;
} {
  if (kind === "deploy") return { to: deploymentProxy, value: 0n, data: deploymentData(sourceAddress) };
  if (token === null) return { to: destination, value: amount, data: "0x" };
  return { to: token, value: 0n, data: erc20.encodeFunctionData("transfer", [destination, amount]) };
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
  const { kind, token, destination, amount } = instruction;
  if (kind === "deploy") {
    assertDeployment(signed, request, instruction);
    return;
  }
  assertFields(signed, request, {
    type: "eip1559",
    to: token ?? destination,
    value: token === null ? amount : 0n,
    data: token === null ? "0x" : `0xa9059cbb${words(destination, amount)}`,
  });
}

/** The code that is sent to the deployer makes exactly the address that the instruction names. */
function assertDeployment(
  signed: SignedTransaction,
  request: SignRequest,
  { destination }: CommittedInstruction,
): void {
  const { data = "0x" } = decode(signed);
  assertFields(signed, request, { type: "eip1559", to: deploymentProxy, value: 0n, data });
  const made = getContractAddress({
    opcode: "CREATE2",
    from: deploymentProxy,
    salt: `0x${data.slice(2, 66)}`,
    bytecode: `0x${data.slice(66)}`,
  });
  if (made.toLowerCase() !== destination) throw new SignedBytesError("data");
}

type SignedFees = Pick<SignRequest, "nonce" | "gasLimit" | "maxFeePerGas" | "maxPriorityFeePerGas">;

/**
 * Compares every field of signed bytes but the authorisations.
 * @internal
 * @throws SignedBytesError with the first field that differs
 */
export function assertFields(
  signed: SignedTransaction,
  request: SignedFees,
  expected: { type: "eip1559" | "eip7702"; to: string; value: bigint; data: string },
): void {
  const decoded = decode(signed);
  const fields: Record<string, string | number | bigint> = {
    ...expected,
    chainId: baseChainId,
    nonce: request.nonce,
    gas: request.gasLimit,
    maxFeePerGas: request.maxFeePerGas,
    maxPriorityFeePerGas: request.maxPriorityFeePerGas,
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
  for (const [field, value] of Object.entries(fields)) {
    if (actual[field] !== value) throw new SignedBytesError(field);
  }
  if (keccak256(signed.raw) !== signed.hash) throw new SignedBytesError("hash");
}

const decode = ({ raw }: SignedTransaction) => parseTransaction(raw as `0x02${string}`);

/**
 * Recovers the sender of signed bytes.
 * @throws SignedBytesError when it isn't `sourceAddress`
 */
export function assertSender(signed: SignedTransaction, sourceAddress: string): void {
  if (Transaction.from(signed.raw).from?.toLowerCase() !== sourceAddress)
    throw new SignedBytesError("sender");
}

/**
 * Calldata written out by hand, without `0x`: an address or a number to a word.
 * @internal
 */
export const words = (...values: (string | bigint)[]): string =>
  values
    .map((value) => (typeof value === "bigint" ? value.toString(16) : value.slice(2)).padStart(64, "0"))
    .join("");

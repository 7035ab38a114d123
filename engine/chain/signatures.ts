/** Who signed a message: ordinary wallets by arithmetic alone, smart wallets by asking the chain. */
import {
  decodeAbiParameters,
  encodeDeployData,
  erc6492SignatureValidatorAbi,
  erc6492SignatureValidatorByteCode,
  hashMessage,
  parseAbiParameters,
  recoverAddress,
} from "viem";
import { readCode } from "./balances.ts";
import type { Chain } from "./client.ts";
import { RpcRefusedError, RpcUnavailableError } from "./errors.ts";
import { bytes } from "./shapes.ts";

/** Half the order of secp256k1: a signature with a higher s is the twin of another one. Source: EIP-2. */
const halfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
/** The end of a signature of a wallet that isn't deployed yet. Source: ERC-6492. */
const wrapperEnd = "6492649264926492649264926492649264926492649264926492649264926492";

/**
 * The address that signed a message (EIP-191), or null when the signature isn't the one canonical 65-byte form: high s,
 * another v than 27 or 28 (or 0, 1), zero r or s, or a recovery that gives the zero address.
 */
export async function recoverLocally({
  message,
  signature,
}: {
  message: string;
  signature: string;
}): Promise<string | null> {
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) return null;
  const r = BigInt(`0x${signature.slice(2, 66)}`);
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const v = Number.parseInt(signature.slice(130), 16);
  if (r === 0n || s === 0n || s > halfOrder || ![0, 1, 27, 28].includes(v)) return null;
  try {
    const address = await recoverAddress({
      hash: hashMessage(message),
      signature: signature as `0x${string}`,
    });
    return /^0x0{40}$/.test(address) ? null : address.toLowerCase();
  } catch {
    return null;
  }
}

export type ChainVerdict = "valid" | "invalid" | "unavailable";

/**
 * Asks the chain whether a smart wallet takes a signature: ERC-1271 when the account has code, ERC-6492 when the
 * signature brings the wallet's deployment by a factory on the list. Every provider that is configured must say yes;
 * nobody's silence is a yes. Call it only after local recovery has failed.
 */
export async function verifySignatureOnChain(
  chain: Chain,
  {
    address,
    message,
    signature,
    knownFactories,
  }: { address: string; message: string; signature: string; knownFactories: readonly string[] },
): Promise<ChainVerdict> {
  try {
    const isWrapped = signature.toLowerCase().endsWith(wrapperEnd);
    if (isWrapped && !hasKnownFactory(signature, knownFactories)) return "invalid";
    if (!isWrapped && (await readCode(chain, address)) === "0x") return "invalid";
  } catch (error) {
    if (error instanceof RpcUnavailableError) return "unavailable";
    throw error;
  }
  const data = encodeDeployData({
    abi: erc6492SignatureValidatorAbi,
    bytecode: erc6492SignatureValidatorByteCode,
    args: [address as `0x${string}`, hashMessage(message), signature as `0x${string}`],
  });
  const answers = await chain.askEach("eth_call", [{ data }, "latest"], bytes);
  if (answers.some((answer) => answer.status === "rejected" && !(answer.reason instanceof RpcRefusedError)))
    return "unavailable";
  return answers.length > 0 &&
    answers.every((answer) => answer.status === "fulfilled" && answer.value === "0x01")
    ? "valid"
    : "invalid";
}

function hasKnownFactory(signature: string, knownFactories: readonly string[]): boolean {
  try {
    const wrapped = `0x${signature.slice(2, -wrapperEnd.length)}` as const;
    const [factory] = decodeAbiParameters(parseAbiParameters("address, bytes, bytes"), wrapped);
    return knownFactories.includes(factory.toLowerCase());
  } catch {
    return false;
  }
}

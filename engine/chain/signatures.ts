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
import { z } from "zod";
import type { Chain } from "./client.ts";
import { RpcRefusedError } from "./errors.ts";
import type { Provider } from "./provider.ts";
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

/** The validator's answers: one byte, yes or no. */
const yes = "0x01";
const verdictShape = z.enum([yes, "0x00"]);
const longestSignature = 2 + 2 * 10_240;

/**
 * Asks the chain whether a smart wallet takes a signature: ERC-1271 when the account has code, ERC-6492 when the
 * signature brings the wallet's deployment by a factory on the list. As many providers as must agree have to say yes,
 * and none no; nobody's silence is a yes. Call it only after local recovery has failed: where there is no code, the
 * chain is not asked at all.
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
  // Where recovery fails, precompiles answer zero: the zero address must never get so far.
  if (/^0x0{40}$/.test(address)) return "invalid";
  if (signature.length > longestSignature || !bytes.safeParse(signature).success) return "invalid";
  const isWrapped = signature.toLowerCase().endsWith(wrapperEnd);
  if (isWrapped && !hasKnownFactory(signature, knownFactories)) return "invalid";
  const data = encodeDeployData({
    abi: erc6492SignatureValidatorAbi,
    bytecode: erc6492SignatureValidatorByteCode,
    args: [address as `0x${string}`, hashMessage(message), signature as `0x${string}`],
  });
  const verdicts = await Promise.all(
    chain.providers.map((provider) => verdictOf(provider, { address, data, isWrapped })),
  );
  const count = (verdict: ChainVerdict): number => verdicts.filter((one) => one === verdict).length;
  if (count("valid") > 0 && count("invalid") > 0) return "unavailable"; // One of them errs or lies.
  if (count("valid") >= chain.quorum) return "valid";
  return count("invalid") >= chain.quorum ? "invalid" : "unavailable";
}

async function verdictOf(
  provider: Provider,
  { address, data, isWrapped }: { address: string; data: string; isWrapped: boolean },
): Promise<ChainVerdict> {
  try {
    // The validator recovers by itself where there is no code; that was done before, and more strictly.
    if (!isWrapped && (await provider.ask("eth_getCode", [address, "latest"], bytes)) === "0x")
      return "invalid";
    const verdict = await provider.ask("eth_call", [{ data }, "latest"], verdictShape);
    return verdict === yes ? "valid" : "invalid";
  } catch (error) {
    return error instanceof RpcRefusedError && error.isRevert ? "invalid" : "unavailable";
  }
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

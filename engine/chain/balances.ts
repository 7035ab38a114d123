/** Balances and nonces at a block or tag. */
import { encodeFunctionData, erc20Abi } from "viem";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { callTogether } from "./multicall.ts";
import { bytes, hex, quantity } from "./shapes.ts";
import type { Shape } from "./types.ts";

/** A block's number or a tag. */
export type At = bigint | "latest" | "pending" | "safe" | "finalized";
const text = (at: At): string => (typeof at === "bigint" ? hex(at) : at);

const balancesPerCall = 500;

/** The calldata that asks a token what an address holds. */
export const balanceCall = (address: string): `0x${string}` =>
  encodeFunctionData({ abi: erc20Abi, functionName: "balanceOf", args: [address as `0x${string}`] });

/** Base units of a token that an address holds. */
export async function readBalance(
  chain: Chain,
  { token, address, at }: { token: string; address: string; at: At },
): Promise<bigint> {
  const answer = await chain.ask("eth_call", [{ to: token, data: balanceCall(address) }, text(at)], bytes);
  if (answer.length < 66) throw new InconsistentAnswerError(`${token} doesn't answer balanceOf`);
  return BigInt(answer.slice(0, 66));
}

/** Many balances at one block, in order, 500 in a call; null where the token doesn't answer. */
export async function readBalances(
  chain: Chain,
  wanted: { token: string; address: string }[],
  at: At,
): Promise<(bigint | null)[]> {
  const balances: (bigint | null)[] = [];
  for (let start = 0; start < wanted.length; start += balancesPerCall) {
    const part = wanted.slice(start, start + balancesPerCall);
    const calls = part.map(({ token, address }) => ({ to: token, data: balanceCall(address) }));
    const answers = await callTogether(chain, calls, { at: text(at), mayFail: true });
    balances.push(
      ...answers.map(({ success, returnData }) =>
        success && returnData.length >= 66 ? BigInt(returnData.slice(0, 66)) : null,
      ),
    );
  }
  return balances;
}

/** Wei. */
export const readEther = (chain: Chain, address: string, at: At = "latest"): Promise<bigint> =>
  chain.ask("eth_getBalance", [address, text(at)], quantity);

/** How many transactions of an address are in blocks up to `at`: its next nonce. */
export const readNonce = (chain: Chain, address: string, at: At): Promise<bigint> =>
  chain.ask("eth_getTransactionCount", [address, text(at)], quantity);

/**
 * The same by the word of as many providers as must agree: so many say at least one number, so many at most the other.
 * Null when too few answer.
 */
export async function readAgreedNonces(
  chain: Chain,
  address: string,
  at: At,
): Promise<{ atLeast: bigint; atMost: bigint } | null> {
  const told = await askEach(chain, "eth_getTransactionCount", [address, text(at)], quantity);
  told.sort((a, b) => (a < b ? -1 : 1));
  const [atLeast, atMost] = [told[told.length - chain.quorum], told[chain.quorum - 1]];
  return atLeast === undefined || atMost === undefined ? null : { atLeast, atMost };
}

/** True when as many providers as must agree say that an address has other code than this. */
export async function isOtherCode(
  chain: Chain,
  { address, code }: { address: string; code: string },
): Promise<boolean> {
  const told = await askEach(chain, "eth_getCode", [address, "latest"], bytes);
  return told.filter((one) => one !== code).length >= chain.quorum;
}

/** What each of the providers says that answers. */
async function askEach<T>(
  { providers }: Chain,
  method: string,
  params: readonly unknown[],
  shape: Shape<T>,
): Promise<T[]> {
  const answers = await Promise.allSettled(providers.map((provider) => provider.ask(method, params, shape)));
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

/** Whether an address is a contract (or a delegated account). */
export const readCode = (chain: Chain, address: string): Promise<string> =>
  chain.ask("eth_getCode", [address, "latest"], bytes);

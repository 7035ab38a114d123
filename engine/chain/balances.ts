/** Balances and nonces at a block or tag. */
import { decodeFunctionResult, encodeFunctionData, erc20Abi, parseAbi } from "viem";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { bytes, hex, quantity } from "./shapes.ts";

/** A block's number or a tag. */
export type At = bigint | "latest" | "pending" | "safe" | "finalized";
const text = (at: At): string => (typeof at === "bigint" ? hex(at) : at);

const multicall = "0xca11bde05977b3631167028862be2a173976ca11";
const multicallAbi = parseAbi([
  "struct Call { address target; bool allowFailure; bytes callData; }",
  "struct Answer { bool success; bytes returnData; }",
  "function aggregate3(Call[] calls) payable returns (Answer[] answers)",
]);
const balancesPerCall = 500;

/** Base units of a token that an address holds. */
export async function readBalance(
  chain: Chain,
  { token, address, at }: { token: string; address: string; at: At },
): Promise<bigint> {
  const data = encodeFunctionData({
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [address as `0x${string}`],
  });
  const answer = await chain.ask("eth_call", [{ to: token, data }, text(at)], bytes);
  if (answer.length < 66) throw new InconsistentAnswerError(`${token} doesn't answer balanceOf`);
  return BigInt(answer.slice(0, 66));
}

/** Many balances at one block, in order, 500 in a call. */
export async function readBalances(
  chain: Chain,
  wanted: { token: string; address: string }[],
  at: At,
): Promise<bigint[]> {
  const balances: bigint[] = [];
  for (let start = 0; start < wanted.length; start += balancesPerCall) {
    const part = wanted.slice(start, start + balancesPerCall);
    const calls = part.map(({ token, address }) => ({
      target: token as `0x${string}`,
      allowFailure: false,
      callData: encodeFunctionData({
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [address as `0x${string}`],
      }),
    }));
    const data = encodeFunctionData({ abi: multicallAbi, functionName: "aggregate3", args: [calls] });
    const answer = await chain.ask("eth_call", [{ to: multicall, data }, text(at)], bytes);
    const answers = decodeFunctionResult({
      abi: multicallAbi,
      functionName: "aggregate3",
      data: answer as `0x${string}`,
    });
    if (answers.length !== part.length)
      throw new InconsistentAnswerError("not as many balances as were asked for");
    balances.push(...answers.map(({ returnData }) => BigInt(returnData.slice(0, 66))));
  }
  return balances;
}

/** Wei. */
export const readEther = (chain: Chain, address: string, at: At = "latest"): Promise<bigint> =>
  chain.ask("eth_getBalance", [address, text(at)], quantity);

/** How many transactions of an address are in blocks up to `at`: its next nonce. */
export const readNonce = (chain: Chain, address: string, at: At): Promise<bigint> =>
  chain.ask("eth_getTransactionCount", [address, text(at)], quantity);

/** Whether an address is a contract (or a delegated account). */
export const readCode = (chain: Chain, address: string): Promise<string> =>
  chain.ask("eth_getCode", [address, "latest"], bytes);

/** Several calls of contracts in one, at one moment of the chain. */
import { decodeFunctionResult, encodeFunctionData, parseAbi } from "viem";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { bytes } from "./shapes.ts";

/** Multicall3, at the same address on every public chain. */
export const multicall = "0xca11bde05977b3631167028862be2a173976ca11";
const abi = parseAbi([
  "struct Call { address target; bool allowFailure; bytes callData; }",
  "struct Answer { bool success; bytes returnData; }",
  "function aggregate3(Call[] calls) payable returns (Answer[] answers)",
]);

export interface CallOfMany {
  to: string;
  data: `0x${string}`;
}
/** What an `eth_call` is to find in storage instead of what is there, by address and slot. */
export type StorageOverrides = Record<string, { stateDiff: Record<string, string> }>;

/**
 * One after the other, in order, the multicall contract being the caller.
 * @param mayFail whether a call that reverts leaves the others alone; otherwise it takes all of them back
 */
export async function callTogether(
  chain: Chain,
  calls: CallOfMany[],
  { at, mayFail = false, overrides }: { at: string; mayFail?: boolean; overrides?: StorageOverrides },
): Promise<readonly { success: boolean; returnData: string }[]> {
  const data = encodeFunctionData({
    abi,
    functionName: "aggregate3",
    args: [
      calls.map((call) => ({ target: call.to as `0x${string}`, allowFailure: mayFail, callData: call.data })),
    ],
  });
  const call = [{ to: multicall, data }, at];
  const answer = await chain.ask("eth_call", overrides === undefined ? call : [...call, overrides], bytes);
  const answers = decodeFunctionResult({ abi, functionName: "aggregate3", data: answer as `0x${string}` });
  if (answers.length !== calls.length) throw new InconsistentAnswerError("not as many answers as calls");
  return answers;
}

/** What the chain must hold at the end, to the unit. */
import { type Address, createPublicClient, erc20Abi, http } from "viem";
import { localBase } from "../local/chain-definition.ts";

export interface Expectation {
  who: string;
  address: Address;
  /** Base units. */
  amount: bigint;
}

export async function balanceOnChain(rpcUrl: string, token: Address, address: Address): Promise<bigint> {
  const reader = createPublicClient({ chain: localBase, transport: http(rpcUrl) });
  return reader.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [address] });
}

/** Reads every balance from the chain; answers the lines to print and whether all are exact. */
export async function checkChain(input: {
  rpcUrl: string;
  token: Address;
  expected: Expectation[];
  show: (amount: bigint) => string;
}): Promise<{ exact: boolean; lines: string[] }> {
  const lines: string[] = [];
  let exact = true;
  for (const { who, address, amount } of input.expected) {
    const held = await balanceOnChain(input.rpcUrl, input.token, address);
    exact &&= held === amount;
    const verdict = held === amount ? "exact" : `OFF BY ${held - amount} base units`;
    lines.push(`${who.padEnd(26)} ${address}  ${input.show(held).padStart(14)}  ${verdict}`);
  }
  return { exact, lines };
}

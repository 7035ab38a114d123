/** What a token says of itself. */
import { BaseError, decodeFunctionResult, encodeFunctionData, parseAbi } from "viem";
import { readCode } from "./balances.ts";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError, RpcRefusedError } from "./errors.ts";
import { bytes } from "./shapes.ts";

const tokenAbi = parseAbi([
  "function symbol() view returns (string)",
  "function decimals() view returns (uint8)",
]);

export interface TokenFacts {
  hasCode: boolean;
  symbol: string;
  decimals: number;
}

/** Reads symbol and decimals from the contract; `hasCode` is false where there is none. @throws when it isn't an ERC-20. */
export async function readToken(chain: Chain, address: string): Promise<TokenFacts> {
  if ((await readCode(chain, address)) === "0x") return { hasCode: false, symbol: "", decimals: 0 };
  const ask = (functionName: "symbol" | "decimals"): Promise<string> =>
    chain.ask(
      "eth_call",
      [{ to: address, data: encodeFunctionData({ abi: tokenAbi, functionName }) }, "latest"],
      bytes,
    );
  try {
    const symbol = decodeFunctionResult({
      abi: tokenAbi,
      functionName: "symbol",
      data: (await ask("symbol")) as `0x${string}`,
    });
    const decimals = decodeFunctionResult({
      abi: tokenAbi,
      functionName: "decimals",
      data: (await ask("decimals")) as `0x${string}`,
    });
    // What is printed beside amounts must be harmless text; a symbol of the real tokens may start with a dollar sign.
    const isPrintable = /^[\x21-\x7e]{1,20}$/.test(symbol);
    if (!isPrintable || !Number.isInteger(decimals) || decimals < 0 || decimals > 36)
      throw new InconsistentAnswerError(`${address} has no usable symbol or decimals`);
    return { hasCode: true, symbol, decimals };
  } catch (error) {
    // Refused, or answered with what isn't a text or a number, such as nothing at all.
    if (error instanceof RpcRefusedError || error instanceof BaseError)
      throw new InconsistentAnswerError(`${address} isn't an ERC-20 token`, { cause: error });
    throw error;
  }
}

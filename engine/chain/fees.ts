/** What a transfer costs, whether it would go through, and how much ether its sender needs. */
import { decodeFunctionResult, encodeFunctionData, erc20Abi, parseAbi } from "viem";
import { z } from "zod";
import { readBalance } from "./balances.ts";
import type { Chain } from "./client.ts";
import { RpcRefusedError, RpcUnavailableError } from "./errors.ts";
import { readTag } from "./heads.ts";
import { bytes, quantity } from "./shapes.ts";

/** Wei per unit of gas. */
export interface Fees {
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

const leastTipWei = 1_000_000n;
const block = z.object({ baseFeePerGas: quantity });

/**
 * Fees with room for six full blocks: twice the base fee and the node's tip. Capped at `capWei`; then a transaction may
 * have to wait for the base fee to come down.
 */
export async function estimateFees(chain: Chain, { capWei }: { capWei: bigint }): Promise<Fees> {
  const [{ baseFeePerGas }, tip] = await Promise.all([
    chain.ask("eth_getBlockByNumber", ["latest", false], block),
    chain.ask("eth_maxPriorityFeePerGas", [], quantity).catch((error: unknown) => {
      if (error instanceof RpcRefusedError) return leastTipWei;
      throw error;
    }),
  ]);
  const wanted = tip > leastTipWei ? tip : leastTipWei;
  const maxFeePerGas = least(2n * baseFeePerGas + wanted, capWei);
  return { maxFeePerGas, maxPriorityFeePerGas: least(wanted, maxFeePerGas) };
}

/** Fees that replace a waiting transaction: nodes ask for an eighth more of both; rounded up, capped. */
export function bump(fees: Fees, { capWei }: { capWei: bigint }): Fees {
  const more = (fee: bigint): bigint => (fee * 9n) / 8n + 1n;
  const maxFeePerGas = least(more(fees.maxFeePerGas), capWei);
  return { maxFeePerGas, maxPriorityFeePerGas: least(more(fees.maxPriorityFeePerGas), maxFeePerGas) };
}

export type TransferCheck =
  | { ok: true; gasLimit: bigint }
  /** The token refuses it as things stand: `shortOfTokens` says that the sender holds too little, else somebody is refused. */
  | { ok: false; outcome: "reverts"; shortOfTokens: boolean; reason: string }
  | { ok: false; outcome: "unknown"; detail: string };

/** Simulates an ERC-20 transfer and measures its gas, with a quarter as margin (storage may get colder until it is mined). */
export async function checkTransfer(
  chain: Chain,
  transfer: { from: string; token: string; to: string; amount: bigint },
): Promise<TransferCheck> {
  const { from, token, to, amount } = transfer;
  const call = {
    from,
    to: token,
    data: encodeFunctionData({
      abi: erc20Abi,
      functionName: "transfer",
      args: [to as `0x${string}`, amount],
    }),
  };
  try {
    // A token that answers false instead of reverting would "succeed" without moving anything.
    const answer = await chain.ask("eth_call", [call, "latest"], bytes);
    if (
      answer !== "0x" &&
      !decodeFunctionResult({ abi: erc20Abi, functionName: "transfer", data: answer as `0x${string}` })
    ) {
      return { ok: false, outcome: "reverts", shortOfTokens: false, reason: "the token answers false" };
    }
    const gas = await chain.ask("eth_estimateGas", [{ ...call, gasPrice: "0x0" }, "latest"], quantity);
    return { ok: true, gasLimit: (gas * 5n) / 4n + 10_000n };
  } catch (error) {
    if (!(error instanceof RpcRefusedError))
      return {
        ok: false,
        outcome: "unknown",
        detail: error instanceof Error ? error.message : String(error),
      };
    try {
      const held = await readBalance(chain, { token, address: from, at: "latest" });
      return {
        ok: false,
        outcome: "reverts",
        shortOfTokens: held < amount,
        reason: error.message.slice(0, 200),
      };
    } catch (failure) {
      return {
        ok: false,
        outcome: "unknown",
        detail: failure instanceof Error ? failure.message : String(failure),
      };
    }
  }
}

const gasPriceOracle = "0x420000000000000000000000000000000000000f";
const oracleAbi = parseAbi(["function getL1FeeUpperBound(uint256 unsignedTxSize) view returns (uint256)"]);
/** An ERC-20 transfer, signed, is some 180 bytes; the oracle wants the size without the signature. */
const transferSizeBytes = 120n;

/**
 * Wei that a wallet needs for so many transfers: gas at the highest fee, and what Base asks for posting the bytes to
 * Ethereum (the oracle's upper bound, doubled, since it moves; nothing where there is no oracle).
 */
export async function etherNeeded(
  chain: Chain,
  { gasLimit, maxFeePerGas, transactions }: { gasLimit: bigint; maxFeePerGas: bigint; transactions: number },
): Promise<bigint> {
  return BigInt(transactions) * (gasLimit * maxFeePerGas + 2n * (await postingFee(chain)));
}

async function postingFee(chain: Chain): Promise<bigint> {
  const data = encodeFunctionData({
    abi: oracleAbi,
    functionName: "getL1FeeUpperBound",
    args: [transferSizeBytes],
  });
  try {
    const answer = await chain.ask("eth_call", [{ to: gasPriceOracle, data }, "latest"], bytes);
    return answer === "0x" ? 0n : BigInt(answer);
  } catch (error) {
    if (error instanceof RpcRefusedError) return 0n;
    throw error;
  }
}

/** The base fee of the latest block, wei. */
export async function readBaseFee(chain: Chain): Promise<bigint> {
  return (await chain.ask("eth_getBlockByNumber", ["latest", false], block)).baseFeePerGas;
}

/** The newest block's number; for "how far behind are we". */
export async function readHeadNumber(chain: Chain): Promise<bigint> {
  const head = await readTag(chain, "latest");
  if (head === null) throw new RpcUnavailableError("the node names no latest block");
  return head.number;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

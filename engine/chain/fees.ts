/** What a transfer costs, whether it would go through, and how much ether its sender needs. */
import { decodeAbiParameters, encodeFunctionData, erc20Abi, parseAbi } from "viem";
import { z } from "zod";
import { readBalance, readCode } from "./balances.ts";
import type { Chain } from "./client.ts";
import { ChainError, RpcRefusedError } from "./errors.ts";
import { reasonOf } from "./provider.ts";
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
      if (error instanceof RpcRefusedError) return leastTipWei; // The node doesn't give advice.
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

interface Transfer {
  from: string;
  token: string;
  to: string;
  amount: bigint;
}

/**
 * Simulates an ERC-20 transfer and measures its gas, with a quarter as margin.
 * Only the contract's own word counts as "reverts"; trouble of a node is "unknown".
 */
export async function checkTransfer(chain: Chain, transfer: Transfer): Promise<TransferCheck> {
  try {
    const reason = await findObjection(chain, transfer);
    if (reason === null) {
      const gas = await chain.ask("eth_estimateGas", [{ ...callOf(transfer), gasPrice: "0x0" }], quantity);
      return { ok: true, gasLimit: withMargin(gas) };
    }
    const { token, from: address, amount } = transfer;
    const held = await readBalance(chain, { token, address, at: "latest" });
    return { ok: false, outcome: "reverts", shortOfTokens: held < amount, reason };
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    return { ok: false, outcome: "unknown", detail: reasonOf(error) };
  }
}

/**
 * Simulates a call as if `to` had this code, and measures its gas, with the same margin. Thrown back by the contract is
 * "reverts"; trouble of a node is "unknown".
 */
export async function checkCall(
  chain: Chain,
  { codeAtTo, ...call }: { from: string; to: string; data: string; codeAtTo: string },
): Promise<{ ok: true; gasLimit: bigint } | { ok: false; outcome: "reverts" | "unknown"; detail: string }> {
  try {
    const overrides = { [call.to]: { code: codeAtTo } };
    const gas = await chain.ask(
      "eth_estimateGas",
      [{ ...call, gasPrice: "0x0" }, "latest", overrides],
      quantity,
    );
    return { ok: true, gasLimit: withMargin(gas) };
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    const isRevert = error instanceof RpcRefusedError && error.isRevert;
    return { ok: false, outcome: isRevert ? "reverts" : "unknown", detail: reasonOf(error) };
  }
}

/** Storage may get colder until it is mined. */
const withMargin = (gas: bigint): bigint => (gas * 5n) / 4n + 10_000n;

/** Why the token won't move, or null when it would. */
async function findObjection(chain: Chain, transfer: Transfer): Promise<string | null> {
  try {
    const answer = await chain.ask("eth_call", [callOf(transfer), "latest"], bytes);
    if (answer === "0x")
      return (await readCode(chain, transfer.token)) === "0x" ? "there is no token at this address" : null;
    // A token that answers false instead of reverting would "succeed" without moving anything.
    return BigInt(answer) === 1n ? null : "the token answers that it didn't transfer";
  } catch (error) {
    if (error instanceof RpcRefusedError && error.isRevert) return revertReason(error);
    throw error;
  }
}

const callOf = ({ from, token, to, amount }: Transfer) => ({
  from,
  to: token,
  data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to as `0x${string}`, amount] }),
});

/** What the contract said: a sentence where it gave one, else what the node makes of it. */
function revertReason({ data, message }: RpcRefusedError): string {
  const said = bytes.safeParse(data);
  try {
    if (said.success && said.data.startsWith("0x08c379a0"))
      return decodeAbiParameters([{ type: "string" }], `0x${said.data.slice(10)}`)[0].slice(0, 200);
  } catch {
    // Not a sentence after all.
  }
  return message.slice(0, 200);
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
    if (error instanceof RpcRefusedError && error.isRevert) return 0n;
    throw error;
  }
}

/** The base fee of the latest block, wei. */
export async function readBaseFee(chain: Chain): Promise<bigint> {
  return (await chain.ask("eth_getBlockByNumber", ["latest", false], block)).baseFeePerGas;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

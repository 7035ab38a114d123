/** What became of one transaction. Silence of a node is never "not found". */
import type { Chain } from "./client.ts";
import { InconsistentAnswerError, RpcUnavailableError } from "./errors.ts";
import { toTransfers } from "./logs.ts";
import { receipt as receiptShape, transferTopic } from "./shapes.ts";
import type { TransferLog } from "./types.ts";

export type ReceiptAnswer =
  | { found: true; blockNumber: bigint; blockHash: string; succeeded: boolean; transfers: TransferLog[] }
  | { found: false }
  | { unknown: true };

/**
 * The receipt of exactly this hash (never of a replacement). `transfers` are those of the given tokens; their ordinals
 * are right, their `timestampSeconds` is 0 (a receipt doesn't say).
 */
export async function readReceipt(chain: Chain, hash: string, tokens: string[]): Promise<ReceiptAnswer> {
  try {
    const answer = await chain.ask("eth_getTransactionReceipt", [hash], receiptShape.nullable());
    if (answer === null) return { found: false };
    if (answer.transactionHash !== hash)
      throw new InconsistentAnswerError("the receipt of another transaction was answered");
    const { blockNumber, blockHash, status } = answer;
    const logs = answer.logs.filter(
      ({ address, topics }) => tokens.includes(address) && topics[0] === transferTopic,
    );
    const block = { number: blockNumber, hash: blockHash, parentHash: "", timestampSeconds: 0n };
    return {
      found: true,
      blockNumber,
      blockHash,
      succeeded: status === "0x1",
      transfers: toTransfers(logs, tokens, () => block),
    };
  } catch (error) {
    if (error instanceof RpcUnavailableError || error instanceof InconsistentAnswerError)
      return { unknown: true };
    throw error;
  }
}

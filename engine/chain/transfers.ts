/** From the logs that a node answers to transfers: pure, and believing nothing that the block's header doesn't bear out. */
import { mayContain } from "./bloom.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { type Header, type RawLog, transferBody, transferTopic } from "./shapes.ts";
import type { TransferLog } from "./types.ts";

/** Whether the block's bloom filter says that a token of the list may have moved in it. False is certain. */
export const mayHoldTransfers = (block: Header, tokens: readonly string[]): boolean =>
  tokens.some((token) => mayContain(block.logsBloom, [token, transferTopic]));

export const isTransferOf = ({ address, topics }: RawLog, tokens: readonly string[]): boolean =>
  tokens.includes(address) && topics[0] === transferTopic;

/**
 * All Transfer logs of the tokens in one block, in order, as transfers. They are counted per transaction and token, so
 * `logs` must be all of the block's, or all of one transaction's.
 * @throws InconsistentAnswerError when a log isn't of this block, wasn't asked for, was taken back, isn't of the form
 *   that ERC-20 prescribes, isn't in the bloom filter, or comes twice with different contents
 */
export function toTransfers(
  logs: readonly RawLog[],
  block: Header,
  tokens: readonly string[],
): TransferLog[] {
  const ordinals = new Map<string, number>();
  const transfers: TransferLog[] = [];
  for (const log of inOrder(logs)) {
    checkLog(log, block, tokens);
    const body = transferBody.safeParse(log);
    if (!body.success) throw new InconsistentAnswerError(`a log of ${log.address} isn't an ERC-20 Transfer`);
    const key = `${log.transactionHash} ${log.address}`;
    const ordinal = ordinals.get(key) ?? 0;
    ordinals.set(key, ordinal + 1);
    transfers.push({
      txHash: log.transactionHash,
      blockNumber: block.number,
      blockHash: block.hash,
      timestampSeconds: block.timestampSeconds,
      logIndex: log.logIndex,
      token: log.address,
      ordinal,
      from: body.data.topics[1],
      to: body.data.topics[2],
      amount: body.data.data,
    });
  }
  return transfers;
}

/** By log index, each once. */
function inOrder(logs: readonly RawLog[]): RawLog[] {
  const byIndex = new Map<number, RawLog>();
  for (const log of logs) {
    const same = byIndex.get(log.logIndex);
    if (same !== undefined && JSON.stringify(textOf(same)) !== JSON.stringify(textOf(log)))
      throw new InconsistentAnswerError(`log ${log.logIndex} was answered twice, with different contents`);
    byIndex.set(log.logIndex, log);
  }
  return [...byIndex.values()].sort((a, b) => a.logIndex - b.logIndex);
}

const textOf = ({ address, topics, data, transactionHash, blockHash }: RawLog): unknown => [
  ...[address, topics, data, transactionHash, blockHash],
];

function checkLog(log: RawLog, block: Header, tokens: readonly string[]): void {
  const { address, topics, blockHash, blockNumber } = log;
  const problem =
    blockHash !== block.hash || blockNumber !== block.number
      ? `a log of block ${blockHash} was answered for ${block.hash}`
      : !isTransferOf(log, tokens)
        ? `a log of ${address} was answered, which wasn't asked for`
        : log.removed === true
          ? "a log that was taken back was answered for a canonical block"
          : !mayContain(block.logsBloom, [address, topics[0] ?? "0x"])
            ? `a log of ${address} was answered, which isn't in the bloom of ${block.hash}`
            : null;
  if (problem !== null) throw new InconsistentAnswerError(problem);
}

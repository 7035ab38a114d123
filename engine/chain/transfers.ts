/** From the logs that a node answers to transfers: pure, and believing nothing that the block's header doesn't bear out. */
import { mayContain } from "./bloom.ts";
import { InconsistentAnswerError } from "./errors.ts";
import type { RawLog } from "./raw-log.ts";
import { type Header, transferTopic } from "./shapes.ts";
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
  // Looked up once for each token, not for each of the hundreds of logs of a full block.
  const moved = new Set(tokens.filter((token) => mayContain(block.logsBloom, [token, transferTopic])));
  const found = inOrder(logs);
  for (const log of found) checkLog(log, block, moved);
  return counted(found).map(({ log, ordinal }) => ({
    txHash: log.transactionHash,
    blockNumber: block.number,
    blockHash: block.hash,
    timestampSeconds: block.timestampSeconds,
    logIndex: log.logIndex,
    token: log.address,
    ordinal,
    ...bodyOf(log),
  }));
}

/** A transfer by the word of one provider, before any header bears it out. */
export type TransferClaim = Omit<TransferLog, "timestampSeconds" | "logIndex">;

/**
 * All Transfer logs of the tokens in whole blocks, as one provider tells of them.
 * @throws InconsistentAnswerError when a log wasn't asked for, was taken back, or isn't of the form that ERC-20 prescribes
 */
export function toClaims(logs: readonly RawLog[], tokens: readonly string[]): TransferClaim[] {
  const blocks = new Map<string, RawLog[]>();
  for (const log of logs) {
    if (log.removed || !isTransferOf(log, tokens))
      throw new InconsistentAnswerError(`a log of ${log.address} was answered, which wasn't asked for`);
    if (!blocks.get(log.blockHash)?.push(log)) blocks.set(log.blockHash, [log]);
  }
  return [...blocks.values()].flatMap((own) =>
    counted(inOrder(own)).map(({ log, ordinal }) => ({
      txHash: log.transactionHash,
      blockNumber: log.blockNumber,
      blockHash: log.blockHash,
      token: log.address,
      ordinal,
      ...bodyOf(log),
    })),
  );
}

/** Which of its token's logs in its transaction each is. */
function counted(logs: readonly RawLog[]): { log: RawLog; ordinal: number }[] {
  const ordinals = new Map<string, number>();
  return logs.map((log) => {
    const key = `${log.transactionHash} ${log.address}`;
    const ordinal = ordinals.get(key) ?? 0;
    ordinals.set(key, ordinal + 1);
    return { log, ordinal };
  });
}

/** The form that the standard asks for; an NFT's log under the same topic has no amount in its data. */
function bodyOf({ address, topics, data }: RawLog): { from: string; to: string; amount: bigint } {
  const [, from, to] = topics;
  if (topics.length !== 3 || !isAddress(from) || !isAddress(to) || data.length !== 66)
    throw new InconsistentAnswerError(`a log of ${address} isn't an ERC-20 Transfer`);
  return { from: `0x${from.slice(26)}`, to: `0x${to.slice(26)}`, amount: BigInt(data) };
}

/** Twenty bytes in a topic of thirty-two. */
const isAddress = (topic: string | undefined): topic is string =>
  topic?.startsWith("0x000000000000000000000000") === true;

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

/** `moved`: the tokens of the list that are in the block's bloom filter. */
function checkLog(log: RawLog, block: Header, moved: ReadonlySet<string>): void {
  const { address, topics, blockHash, blockNumber } = log;
  if (blockHash !== block.hash || blockNumber !== block.number)
    throw new InconsistentAnswerError(`a log of block ${blockHash} was answered for ${block.hash}`);
  if (log.removed) throw new InconsistentAnswerError("a log was answered that was taken back");
  if (!moved.has(address) || topics[0] !== transferTopic)
    throw new InconsistentAnswerError(
      `a log of ${address} was answered, which wasn't asked for or isn't in the bloom of ${block.hash}`,
    );
}

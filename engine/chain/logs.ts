/** Transfer logs, by block hash near the tip and by range far below it, checked against the blocks that they claim. */
import { z } from "zod";
import { mayContain } from "./bloom.ts";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { type Header, log, type RawLog, receipt, transferBody, transferTopic } from "./shapes.ts";
import type { BlockRef, TransferLog } from "./types.ts";

const logs = z.array(log).max(200_000);

/**
 * Every Transfer log of the tokens in a block.
 *
 * "Empty" is believed only when the block's bloom filter says so too; otherwise the receipts of the whole block decide,
 * since a node may answer before it has indexed the block.
 */
export async function readTransfersOf(chain: Chain, block: Header, tokens: string[]): Promise<TransferLog[]> {
  const filter = { blockHash: block.hash, address: tokens, topics: [transferTopic] };
  const answer = await chain.ask("eth_getLogs", [filter], logs);
  const isSuspicious =
    answer.length === 0 && tokens.some((token) => mayContain(block.logsBloom, [token, transferTopic]));
  const found = isSuspicious ? await readFromReceipts(chain, block, tokens) : answer;
  for (const entry of found) checkBlock(entry, block);
  return toTransfers(found, tokens, () => block);
}

async function readFromReceipts(chain: Chain, block: BlockRef, tokens: string[]): Promise<RawLog[]> {
  const receipts = await chain.ask("eth_getBlockReceipts", [block.hash], z.array(receipt));
  return receipts
    .flatMap((one) => one.logs)
    .filter((entry) => tokens.includes(entry.address) && entry.topics[0] === transferTopic);
}

/** Raw Transfer logs of the tokens in a range of blocks, both ends included, in order. */
export async function readRange(
  chain: Chain,
  range: { from: bigint; to: bigint },
  tokens: string[],
): Promise<RawLog[]> {
  const filter = {
    fromBlock: hex(range.from),
    toBlock: hex(range.to),
    address: tokens,
    topics: [transferTopic],
  };
  const found = await chain.ask("eth_getLogs", [filter], logs);
  for (const { blockNumber } of found) {
    if (blockNumber < range.from || blockNumber > range.to)
      throw new InconsistentAnswerError(
        `a log of block ${blockNumber} was answered for ${range.from}–${range.to}`,
      );
  }
  return found;
}

/** Raw logs as transfers: ordinals given per transaction and token, foreign and malformed ones left out. */
export function toTransfers(
  found: RawLog[],
  tokens: string[],
  blockOf: (entry: RawLog) => BlockRef,
): TransferLog[] {
  const ordered = [...found].sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
  const ordinals = new Map<string, number>();
  const seen = new Set<string>();
  const transfers: TransferLog[] = [];
  for (const entry of ordered) {
    if (!tokens.includes(entry.address))
      throw new InconsistentAnswerError(`a log of ${entry.address} was answered, which wasn't asked for`);
    if (entry.removed === true)
      throw new InconsistentAnswerError("a removed log was answered for a canonical block");
    const place = `${entry.blockHash} ${entry.logIndex}`;
    if (seen.has(place)) continue; // the same log twice in one answer
    seen.add(place);
    const body = transferBody.safeParse(entry);
    if (!body.success) continue;
    const key = `${entry.transactionHash} ${entry.address}`;
    const ordinal = ordinals.get(key) ?? 0;
    ordinals.set(key, ordinal + 1);
    const block = blockOf(entry);
    transfers.push({
      txHash: entry.transactionHash,
      blockNumber: block.number,
      blockHash: block.hash,
      timestampSeconds: block.timestampSeconds,
      logIndex: entry.logIndex,
      token: entry.address,
      ordinal,
      from: body.data.topics[1],
      to: body.data.topics[2],
      amount: body.data.data,
    });
  }
  return transfers;
}

export function checkBlock(entry: RawLog, block: BlockRef): void {
  if (entry.blockHash !== block.hash || entry.blockNumber !== block.number) {
    throw new InconsistentAnswerError(`a log of block ${entry.blockHash} was answered for ${block.hash}`);
  }
}

export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Far below the tip: ranges of final blocks, as wide as the node allows. */
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { readBlock } from "./heads.ts";
import { checkBlock, readRange, toTransfers } from "./logs.ts";
import type { BlockRef, ChainEvent } from "./types.ts";

const smallest = 1n;

/**
 * Yields the final blocks of a range that hold transfers of the tokens, and the last block in any case. The width of a
 * question is halved on any failure (nodes word their limits in twenty ways) and doubled after an answer.
 * @throws what the node threw when even a single block can't be read
 */
export async function* backfill(
  chain: Chain,
  range: { from: bigint; to: bigint },
  options: { tokens: string[]; maxRange: bigint; signal: AbortSignal },
): AsyncGenerator<Extract<ChainEvent, { type: "block" }>> {
  let from = range.from;
  let width = options.maxRange;
  while (from <= range.to && !options.signal.aborted) {
    const to = from + width - 1n < range.to ? from + width - 1n : range.to;
    try {
      yield* await readWindow(chain, { from, to }, options.tokens);
      from = to + 1n;
      width = width * 2n < options.maxRange ? width * 2n : options.maxRange;
    } catch (error) {
      if (width <= smallest) throw error;
      width /= 2n;
    }
  }
}

async function readWindow(chain: Chain, { from, to }: { from: bigint; to: bigint }, tokens: string[]) {
  const found = await readRange(chain, { from, to }, tokens);
  const numbers = [...new Set([...found.map(({ blockNumber }) => blockNumber), to])].sort((a, b) =>
    Number(a - b),
  );
  const blocks = new Map<bigint, BlockRef>();
  for (const number of numbers) {
    const block = await readBlock(chain, number);
    if (block === null) throw new InconsistentAnswerError(`block ${number} is final and isn't there`);
    blocks.set(number, block);
  }
  const blockOf = (number: bigint): BlockRef => {
    const block = blocks.get(number);
    if (block === undefined) throw new Error(`block ${number} wasn't read`);
    return block;
  };
  for (const entry of found) checkBlock(entry, blockOf(entry.blockNumber));
  const transfers = toTransfers(found, tokens, ({ blockNumber }) => blockOf(blockNumber));
  return numbers.map((number) => ({
    type: "block" as const,
    block: blockOf(number),
    transfers: transfers.filter(({ blockNumber }) => blockNumber === number),
  }));
}

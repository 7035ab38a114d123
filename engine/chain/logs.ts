/** Transfer logs, by block hash near the tip and by range far below it. Both ways end in the same checks. */
import { z } from "zod";
import { bloomOf } from "./bloom.ts";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError } from "./errors.ts";
import { inOrderAhead } from "./in-order.ts";
import { logList, type RawLog } from "./raw-log.ts";
import { type Header, hex, receipt, transferTopic } from "./shapes.ts";
import { isTransferOf, mayHoldTransfers, toTransfers } from "./transfers.ts";
import type { Announcer, Shape, TransferLog } from "./types.ts";

const receipts = z.array(receipt).max(100_000);
/** Blocks that are confirmed to be empty at the same time. */
const confirmedAtOnce = 8;

/** Every Transfer log of the tokens in a block, from whoever announced it, or else from the nodes in turn. */
export async function readTransfersOf(
  chain: Chain,
  block: Header,
  { tokens, announcer }: { tokens: readonly string[]; announcer: Announcer | null },
): Promise<TransferLog[]> {
  const question = ["eth_getLogs", [filterOf(block, tokens)], transfersIn(block, tokens)] as const;
  const told = await announcer?.ask(...question).catch(() => null);
  const found = told ?? (await chain.ask(...question));
  return isBelieved(found, block, tokens) ? found : confirmEmpty(chain, block, tokens);
}

/**
 * Every Transfer log of the tokens in an unbroken line of blocks, with one question, by block hash. Only blocks that
 * seem empty and might not be are asked about one by one.
 * @throws whatever the node threw; a narrower range may go better
 */
export async function readTransfersOfLine(
  chain: Chain,
  line: readonly Header[],
  tokens: readonly string[],
): Promise<Map<string, TransferLog[]>> {
  const [first, last] = [line[0], line.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const range = { fromBlock: hex(first.number), toBlock: hex(last.number) };
  const filter = { ...range, address: tokens, topics: [transferTopic] };
  const found = await chain.ask("eth_getLogs", [filter], transfersAlong(line, tokens), { rounds: 1 });
  const doubtful = line.filter((block) => !isBelieved(found.get(block.hash) ?? [], block, tokens));
  const confirm = async (block: Header) => ({ block, transfers: await confirmEmpty(chain, block, tokens) });
  for await (const { block, transfers } of inOrderAhead(doubtful, confirmedAtOnce, confirm))
    found.set(block.hash, transfers);
  return found;
}

/** Empty is not "none": a node may answer before it has indexed the block. The bloom filter knows better. */
const isBelieved = (found: TransferLog[], block: Header, tokens: readonly string[]): boolean =>
  found.length > 0 || !mayHoldTransfers(block, tokens);

/**
 * What a block holds when one answer was "nothing" and its bloom filter says "maybe". Two providers that both say
 * "nothing" are believed (the filter of a full block says "maybe" to almost anything); where only one is well, the
 * receipts of the whole block decide.
 */
async function confirmEmpty(chain: Chain, block: Header, tokens: readonly string[]): Promise<TransferLog[]> {
  const well = chain.providers.filter(({ health }) => health.ok);
  if (well.length > 1) {
    const answers = await Promise.allSettled(
      well.map((provider) =>
        provider.ask("eth_getLogs", [filterOf(block, tokens)], transfersIn(block, tokens)),
      ),
    );
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const some = found.find(({ length }) => length > 0);
    if (some !== undefined || found.length > 1) return some ?? [];
  }
  return chain.ask("eth_getBlockReceipts", [block.hash], transfersInReceipts(block, tokens));
}

const filterOf = (block: Header, tokens: readonly string[]): unknown => ({
  blockHash: block.hash,
  address: tokens,
  topics: [transferTopic],
});

const transfersIn = (block: Header, tokens: readonly string[]): Shape<TransferLog[]> => ({
  parse: (answer) => toTransfers(logList.parse(answer), block, tokens),
});

const transfersAlong = (
  line: readonly Header[],
  tokens: readonly string[],
): Shape<Map<string, TransferLog[]>> => ({
  parse(answer) {
    const byHash = new Map<string, RawLog[]>();
    for (const entry of logList.parse(answer))
      if (!byHash.get(entry.blockHash)?.push(entry)) byHash.set(entry.blockHash, [entry]);
    const found = new Map<string, TransferLog[]>();
    for (const block of line) {
      const own = byHash.get(block.hash);
      if (own !== undefined) found.set(block.hash, toTransfers(own, block, tokens));
      byHash.delete(block.hash);
    }
    if (byHash.size > 0)
      throw new InconsistentAnswerError("logs of other blocks than asked for were answered");
    return found;
  },
});

/** All logs of a block together make its bloom filter, so that receipts with one left out are seen to be wrong. */
const transfersInReceipts = (block: Header, tokens: readonly string[]): Shape<TransferLog[]> => ({
  parse(answer) {
    const all: RawLog[] = receipts.parse(answer).flatMap((one) => one.logs);
    const bloom = bloomOf(all.flatMap(({ address, topics }) => [address, ...topics]));
    if (bloom !== block.logsBloom)
      throw new InconsistentAnswerError(`the receipts of block ${block.hash} aren't all there`);
    return toTransfers(
      all.filter((entry) => isTransferOf(entry, tokens)),
      block,
      tokens,
    );
  },
});

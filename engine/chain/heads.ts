/** Blocks by number, hash and tag, each held against what was asked for. */
import type { Chain } from "./client.ts";
import { InconsistentAnswerError, NotThereError } from "./errors.ts";
import { type Header, header, hex } from "./shapes.ts";
import type { BlockId, Shape } from "./types.ts";

const maybeHeader = header.nullable();
export type Tag = "latest" | "safe" | "finalized";

/** The canonical block of a number, or null when no provider has one (yet). */
export const readBlock = (chain: Chain, number: bigint): Promise<Header | null> =>
  orNull(chain.ask("eth_getBlockByNumber", [hex(number), false], numbered(number), { rounds: 1 }));

/** A block by its hash, canonical or not; null when no provider knows it. */
export const readBlockByHash = (chain: Chain, hash: string): Promise<Header | null> =>
  orNull(chain.ask("eth_getBlockByHash", [hash, false], hashed(hash), { rounds: 1 }));

/** The block behind a tag; null where the node has none. */
export const readTag = (chain: Chain, tag: Tag): Promise<Header | null> =>
  chain.ask("eth_getBlockByNumber", [tag, false], maybeHeader);

/**
 * The blocks of a range, both ends included, each the parent of the next.
 * @throws NotThereError when one is missing, InconsistentAnswerError when one doesn't follow from the one before
 */
export async function readLine(chain: Chain, { from, to }: { from: bigint; to: bigint }): Promise<Header[]> {
  const numbers = Array.from({ length: Number(to - from) + 1 }, (_, index) => from + BigInt(index));
  const line = await chain.askMany(
    "eth_getBlockByNumber",
    numbers.map((number) => ({ params: [hex(number), false], shape: numbered(number) })),
    { rounds: 1 },
  );
  for (const [index, block] of line.entries()) {
    const before = line[index - 1];
    if (before !== undefined && block.parentHash !== before.hash)
      throw new InconsistentAnswerError(`block ${block.number} doesn't follow from the one before it`);
  }
  return line;
}

/**
 * The blocks from `from` up to `head`, found from the head down, each by the hash that its child names.
 * @throws InconsistentAnswerError when a parent isn't there
 */
export async function readDownTo(
  chain: Chain,
  { head, from }: { head: Header; from: bigint },
): Promise<Header[]> {
  const line = [head];
  for (let lowest = head; lowest.number > from; line.unshift(lowest))
    lowest = await readParent(chain, lowest);
  return line;
}

/** @throws InconsistentAnswerError when it isn't there, or isn't one lower */
export async function readParent(chain: Chain, block: Header): Promise<Header> {
  const parent = await readBlockByHash(chain, block.parentHash);
  if (parent?.number === block.number - 1n) return parent;
  throw new InconsistentAnswerError(`the parent of block ${block.hash} isn't there`);
}

/** How many providers name `hash` as the block at `number`. */
export const countWitnesses = async (chain: Chain, block: BlockId): Promise<number> =>
  (await countVoices(chain, block)).witnesses;

/** How many name this block at its number, and how many another. */
export async function countVoices(
  chain: Chain,
  { number, hash }: BlockId,
): Promise<{ witnesses: number; others: number }> {
  const answers = await Promise.allSettled(
    chain.providers.map((provider) =>
      provider.ask("eth_getBlockByNumber", [hex(number), false], numbered(number)),
    ),
  );
  const named = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value.hash] : []));
  const witnesses = named.filter((one) => one === hash).length;
  return { witnesses, others: named.length - witnesses };
}

export const numbered = (number: bigint): Shape<Header> =>
  holding((block) => block.number === number, `block ${number}`);

const hashed = (hash: string): Shape<Header> => holding((block) => block.hash === hash, `block ${hash}`);

const holding = (isRight: (block: Header) => boolean, wanted: string): Shape<Header> => ({
  parse(answer) {
    const block = maybeHeader.parse(answer);
    if (block === null) throw new NotThereError(`${wanted} isn't there`);
    if (!isRight(block)) throw new InconsistentAnswerError(`another block than ${wanted} was answered`);
    return block;
  },
});

const orNull = <T>(asked: Promise<T>): Promise<T | null> =>
  asked.catch((error: unknown) => {
    if (error instanceof NotThereError) return null;
    throw error;
  });

/** What the rest of the engine sees of the chain. Addresses and hashes are lower case, amounts base units. */
export interface BlockId {
  number: bigint;
  hash: string;
}
export interface BlockRef extends BlockId {
  parentHash: string;
  timestampSeconds: bigint;
}
/** One ERC-20 `Transfer` log. */
export interface TransferLog {
  txHash: string;
  blockNumber: bigint;
  blockHash: string;
  timestampSeconds: bigint;
  logIndex: number;
  token: string;
  /**
   * Which of the token's Transfer logs within its transaction it is, from 0. Unlike the log index it stays the same when
   * the transaction lands in another block.
   */
  ordinal: number;
  from: string;
  to: string;
  amount: bigint;
}
/** Between whom a transfer goes that a WebSocket tells of, before anybody has looked at its block: a hint, maybe wrong. */
export type Sighting = Pick<TransferLog, "from" | "to" | "txHash">;
export type ChainEvent =
  /** Contiguous, ascending, canonical. Below the finalized block, blocks without transfers may be left out. */
  | { type: "block"; block: BlockRef; transfers: TransferLog[] }
  /** Blocks above `commonAncestor` fell out of the chain; their successors follow. */
  | { type: "reorg"; commonAncestor: BlockRef; orphaned: BlockRef[] }
  /** Grows only. `safe` is null where the node doesn't know the tag. */
  | { type: "finalized"; block: BlockId; safe: BlockId | null };

/** Reads an answer. Throws when it isn't what was asked for. Any zod schema is one. */
export interface Shape<T> {
  parse(answer: unknown): T;
}

/** Whoever announced a block, and can be asked about it on the same connection: sooner than anybody else, but only once. */
export interface Announcer {
  /** @throws when it gives no answer in time that `shape` can read */
  ask<T>(method: string, params: readonly unknown[], shape: Shape<T>): Promise<T>;
}

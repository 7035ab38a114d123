/** How far the chain was handled. */
import { z } from "zod";
import { big, firstOf, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const cursor = z.object({
  head_number: big,
  head_hash: z.string(),
  head_stamped_at: moment,
  safe_number: big,
  finalized_number: big,
});
/** `finalized_number` ≤ `safe_number` ≤ `head_number`. */
export type Cursor = z.output<typeof cursor>;
const columns = "head_number, head_hash, head_stamped_at, safe_number, finalized_number";

export async function readCursor(db: Queryable): Promise<Cursor | null> {
  const { rows } = await db.query({ name: "read_cursor", text: `SELECT ${columns} FROM chain_cursor` });
  return firstOf(cursor, rows);
}

const lockedCursor = cursor.extend({ is_recovering: z.boolean() });
export type LockedCursor = z.output<typeof lockedCursor>;

/** The cursor, locked: whoever else handles chain events waits, and then finds it moved; and whether a recovery stands. */
export async function lockCursor(tx: Tx): Promise<LockedCursor | null> {
  const { rows } = await tx.query({
    name: "lock_cursor",
    text: `SELECT ${columns}, EXISTS (SELECT FROM recovery WHERE ended_at IS NULL) AS is_recovering FROM chain_cursor FOR UPDATE`,
  });
  return firstOf(lockedCursor, rows);
}

export interface HandledBlock {
  number: bigint;
  hash: string;
  parentHash: string;
  stampedAt: Date;
}

/** Below finality, blocks without transfers are left out; a neighbour must be a child. */
export const follows = (
  cursor: Pick<Cursor, "head_number" | "head_hash">,
  { number, parentHash }: HandledBlock,
): boolean =>
  number > cursor.head_number + 1n || (number === cursor.head_number + 1n && parentHash === cursor.head_hash);

/** The very first block: everything up to it counts as final. False when another process was first. */
export async function beginCursor(
  tx: Tx,
  { chainId, block }: { chainId: number; block: HandledBlock },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO chain_cursor (chain_id, head_number, head_hash, head_stamped_at, safe_number, finalized_number)
     VALUES ($1, $2, $3, $4, $2, $2) ON CONFLICT DO NOTHING`,
    [chainId, block.number.toString(), block.hash, block.stampedAt],
  );
  return rowCount === 1;
}

export const movingHead = `UPDATE chain_cursor SET head_number = $1, head_hash = $2, head_stamped_at = $4, moved_at = now()`;
export const keepingBlock = `INSERT INTO block (number, hash, parent_hash, stamped_at) SELECT $1::bigint, $2, $3, $4::timestamptz FROM moved
  ON CONFLICT (number) DO UPDATE SET hash = EXCLUDED.hash, parent_hash = EXCLUDED.parent_hash, stamped_at = EXCLUDED.stamped_at`;
export const headValues = (block: HandledBlock) => [
  block.number.toString(),
  block.hash,
  block.parentHash,
  block.stampedAt,
];

/** Sets the head to a block and remembers it; call it with the cursor locked. */
export async function setHead(tx: Tx, block: HandledBlock): Promise<void> {
  await tx.query({
    name: "set_head",
    text: `WITH moved AS (${movingHead} RETURNING chain_id) ${keepingBlock}`,
    values: headValues(block),
  });
}

/** Moves the head on to a block and remembers it, if the head is still the one with the hash `after` and below the block. */
export async function moveHead(tx: Tx, block: HandledBlock, { after }: { after: string }): Promise<void> {
  await tx.query({
    name: "move_head",
    text: `WITH moved AS (${movingHead} WHERE head_hash = $5 AND head_number < $1 RETURNING chain_id) ${keepingBlock}`,
    values: [...headValues(block), after],
  });
}

/** Goes back to a common ancestor: later blocks are forgotten. What was `safe` may fall out too; what was final doesn't. */
export async function turnHeadBack(tx: Tx, block: HandledBlock): Promise<void> {
  await tx.query("DELETE FROM block WHERE number > $1", [block.number.toString()]);
  await tx.query("UPDATE chain_cursor SET safe_number = least(safe_number, $1)", [block.number.toString()]);
  await setHead(tx, block);
}

/** Finality grows only; blocks below it are forgotten, but for the newest of them: something must be left to go back to. */
export async function moveFinality(
  tx: Tx,
  { finalized, safe }: { finalized: bigint; safe: bigint },
): Promise<void> {
  await tx.query(
    `UPDATE chain_cursor SET finalized_number = greatest(finalized_number, $1),
       safe_number = least(head_number, greatest(safe_number, finalized_number, $1, $2))`,
    [finalized.toString(), safe.toString()],
  );
  await tx.query("DELETE FROM block WHERE number < (SELECT max(number) FROM block WHERE number <= $1)", [
    finalized.toString(),
  ]);
}

/** Whether the books hold this very block; of those that are final only some are remembered. */
export async function isInBooks(
  tx: Tx,
  { blockNumber, blockHash }: { blockNumber: bigint; blockHash: string },
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "is_in_books",
    text: "SELECT FROM block WHERE number = $1 AND hash = $2",
    values: [blockNumber.toString(), blockHash],
  });
  return rowCount === 1;
}

/** The newest block of the books below a number; null when none is remembered. */
export async function readBlockBelow(tx: Tx, number: bigint): Promise<HandledBlock | null> {
  const { rows } = await tx.query(
    "SELECT number, hash, parent_hash, stamped_at FROM block WHERE number < $1 ORDER BY number DESC LIMIT 1",
    [number.toString()],
  );
  return rowsOf(block, rows).map(handledOf)[0] ?? null;
}

/** The lowest block of the books that isn't below their final one: it has all that is final among its ancestors, or is it. */
export async function readLowestUnsettled(db: Queryable): Promise<HandledBlock | null> {
  const { rows } = await db.query(
    `SELECT number, hash, parent_hash, stamped_at FROM block
     WHERE number >= (SELECT finalized_number FROM chain_cursor) ORDER BY number LIMIT 1`,
  );
  return rowsOf(block, rows).map(handledOf)[0] ?? null;
}

const block = z.object({ number: big, hash: z.string(), parent_hash: z.string(), stamped_at: moment });
/** The blocks that a reorg is measured against, ascending; the head is the last. */
export async function readRecentBlocks(db: Queryable): Promise<HandledBlock[]> {
  const { rows } = await db.query(
    "SELECT number, hash, parent_hash, stamped_at FROM block ORDER BY number DESC LIMIT 10000",
  );
  return rowsOf(block, rows).map(handledOf).reverse();
}

const handledOf = ({ parent_hash, stamped_at, ...rest }: z.output<typeof block>): HandledBlock => ({
  ...rest,
  parentHash: parent_hash,
  stampedAt: stamped_at,
});

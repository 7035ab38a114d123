/** What became of transactions that were sent: mined, reopened by a reorg, final or failed. */
import { z } from "zod";
import { id, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const waiting = z.object({ chain_tx_id: id, hash: z.string() });
/**
 * Attempts of open nonces that were ever sent, and made a while ago: their receipts tell what the blocks' logs don't. Also
 * those that a higher fee or a reorg has set aside: it may be one of them that is in the chain.
 */
export async function readWaiting(
  db: Queryable,
  { sentBefore, limit }: { sentBefore: Date; limit: number },
): Promise<z.output<typeof waiting>[]> {
  const { rows } = await db.query({
    name: "read_waiting",
    text: `SELECT chain_tx_id, attempt.hash FROM chain_tx JOIN attempt ON attempt.chain_tx_id = chain_tx.id
           WHERE chain_tx.state = 'open' AND attempt.created_at < $1 AND attempt.last_answer IS NOT NULL
           ORDER BY chain_tx.id, number DESC LIMIT $2`,
    values: [sentBefore, limit],
  });
  return rowsOf(waiting, rows);
}

const ids = z.object({ instruction_id: id });
const instructionIdsOf = (rows: unknown[]): string[] => rowsOf(ids, rows).map((row) => row.instruction_id);

/** An attempt is in a canonical block and did what it was to do. Answers the instructions that have moved. */
export async function markMined(
  tx: Tx,
  mined: { chainTxId: string; hash: string; blockNumber: bigint }[],
): Promise<string[]> {
  if (mined.length === 0) return [];
  const { rows } = await tx.query({
    name: "mark_mined",
    text: `WITH found AS (
             UPDATE chain_tx SET state = 'mined', mined_hash = given.hash, block_number = given.block
             FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS given (id, hash, block)
             WHERE chain_tx.id = given.id AND chain_tx.state IN ('open', 'mined') RETURNING chain_tx.id)
           UPDATE instruction SET state = 'mined', changed_at = now() FROM found JOIN chain_tx_instruction paid ON chain_tx_id = found.id
           WHERE instruction.id = paid.instruction_id AND instruction.state IN ('sending', 'mined') RETURNING instruction.id AS instruction_id`,
    values: [
      mined.map((row) => row.chainTxId),
      mined.map((row) => row.hash),
      mined.map((row) => row.blockNumber.toString()),
    ],
  });
  return instructionIdsOf(rows);
}

/** A reorg took their blocks: the same bytes have to be sent again. */
export async function reopenAbove(tx: Tx, blockNumber: bigint): Promise<string[]> {
  const { rows } = await tx.query(
    `WITH reopened AS (UPDATE chain_tx SET state = 'open', mined_hash = NULL, block_number = NULL
       WHERE state = 'mined' AND block_number > $1 RETURNING id),
     again AS (UPDATE attempt SET sent_at = NULL FROM reopened WHERE chain_tx_id = reopened.id)
     UPDATE instruction SET state = 'sending', changed_at = now() FROM reopened JOIN chain_tx_instruction paid ON chain_tx_id = reopened.id
     WHERE instruction.id = paid.instruction_id
     RETURNING instruction.id AS instruction_id`,
    [blockNumber.toString()],
  );
  return instructionIdsOf(rows);
}

/** Beyond reorg: paid. */
export async function finalizeMined(tx: Tx, finalized: bigint): Promise<string[]> {
  const { rows } = await tx.query({
    name: "finalize_mined",
    text: `WITH over AS (UPDATE chain_tx SET state = 'final' WHERE state = 'mined' AND block_number <= $1 RETURNING id)
           UPDATE instruction SET state = 'final', changed_at = now() FROM over JOIN chain_tx_instruction paid ON chain_tx_id = over.id
           WHERE instruction.id = paid.instruction_id
           RETURNING instruction.id AS instruction_id`,
    values: [finalized.toString()],
  });
  return instructionIdsOf(rows);
}

// What instruction `owed`'s wallet held before block $3 or after it, whichever is less, as the logs tell.
const heldThen = `(
  SELECT least(coalesce(sum(moved) FILTER (WHERE block_number < $3), 0), coalesce(sum(moved), 0)) FROM (
    SELECT amount AS moved, block_number FROM chain_log
    WHERE recipient_wallet_id = owed.source_wallet_id AND token = owed.token AND canonical AND block_number <= $3
    UNION ALL
    SELECT -amount, block_number FROM chain_log
    WHERE sender_wallet_id = owed.source_wallet_id AND token = owed.token AND canonical AND block_number <= $3) AS moves)`;

/**
 * The chain executed it, beyond reorg, and it failed: the nonce is spent, nothing has moved. What was to be paid alone is
 * looked at by a person, unless its wallet couldn't pay then, because a reorg put off what was to come in before: that
 * waits in the queue until it can. Of several, who all went without because of one, each waits for its turn again, by itself.
 */
export async function markReverted(
  tx: Tx,
  {
    chainTxId,
    hash,
    blockNumber,
    note,
  }: { chainTxId: string; hash: string; blockNumber: bigint; note: string },
): Promise<string[]> {
  const { rows } = await tx.query(
    `WITH failed AS (UPDATE chain_tx SET state = 'reverted', mined_hash = $2, block_number = $3 WHERE id = $1 AND state = 'open' RETURNING id),
     judged AS (
       SELECT owed.id, (SELECT count(*) FROM chain_tx_instruction WHERE chain_tx_id = failed.id) > 1
         OR (owed.token IS NOT NULL AND ${heldThen} < owed.amount) AS waits
       FROM failed JOIN chain_tx_instruction paid ON chain_tx_id = failed.id JOIN instruction owed ON owed.id = paid.instruction_id)
     UPDATE instruction SET note = CASE WHEN waits THEN note ELSE $4 END, changed_at = now(),
       state = CASE WHEN waits THEN 'queued' ELSE 'parked' END,
       -- Nothing is merged with what was signed.
       cause = CASE WHEN waits THEN cause || ':' || instruction.id ELSE cause END
     FROM judged WHERE instruction.id = judged.id RETURNING instruction.id AS instruction_id`,
    [chainTxId, hash, blockNumber.toString(), note],
  );
  return instructionIdsOf(rows);
}

/** Instructions on their way: nonces, signed bytes, and what became of them. */
import { z } from "zod";
import { big, cellOf, count, flag, id, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const due = z.object({
  id,
  kind: z.enum(["collect", "fund", "settle", "payout", "withdrawal", "sweep", "refund", "topup", "deploy"]),
  token: z.string().nullable(),
  destination: z.string(),
  amount: big,
  wallet_id: id,
  wallet_address: z.string(),
  wallet_purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  /** A transaction with it failed for good before. */
  has_failed: z.boolean(),
});
export type DueInstruction = z.output<typeof due>;

/** One token of one wallet; null is ether. */
export interface Purse {
  walletId: string;
  token: string | null;
}

const isDue =
  "not_before <= $1 AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0)";
/**
 * Queued instructions whose time has come and whose wallet isn't frozen, from the first `limit` purses after one that have
 * any: of each purse the oldest, none of them the second while another lacks its first. So what can't be paid from one
 * purse, however much it is, leaves room for the others. Fewer than `limit` are all that there are after that purse; the
 * last is of the last purse. The time that it takes grows with what is answered, not with what waits.
 */
export async function readDueInstructions(
  db: Queryable,
  { now, after, limit }: { now: Date; after: Purse | null; limit: number },
): Promise<DueInstruction[]> {
  const { rows } = await db.query({
    name: "read_due_instructions",
    text: `WITH RECURSIVE purse AS (
             SELECT $2::bigint AS wallet_id, $3::text AS token
             UNION ALL
             SELECT following.* FROM purse CROSS JOIN LATERAL (
               SELECT source_wallet_id, coalesce(token, '') FROM instruction
               WHERE state = 'queued' AND (source_wallet_id, coalesce(token, '')) > (purse.wallet_id, purse.token)
                 -- As one condition: several look so rare to the planner that it would sort all that is queued to find one.
                 AND CASE WHEN ${isDue} THEN (SELECT frozen_reason FROM wallet WHERE wallet.id = source_wallet_id) IS NULL ELSE false END
               ORDER BY source_wallet_id, coalesce(token, '') LIMIT 1) AS following),
           due AS (
             SELECT queued.* FROM (SELECT * FROM purse OFFSET 1 LIMIT $4) AS purse CROSS JOIN LATERAL (
               SELECT id, kind, token, destination, amount, source_wallet_id, row_number() OVER (ORDER BY id) AS place FROM instruction
               WHERE state = 'queued' AND source_wallet_id = purse.wallet_id AND coalesce(token, '') = purse.token AND ${isDue}
               ORDER BY id LIMIT $4) AS queued
             ORDER BY place LIMIT $4)
           SELECT due.id, kind, token, destination, amount, wallet.id AS wallet_id, wallet.address AS wallet_address, purpose AS wallet_purpose,
             EXISTS (SELECT FROM chain_tx_instruction WHERE instruction_id = due.id AND state = 'reverted') AS has_failed
           FROM due JOIN wallet ON wallet.id = source_wallet_id ORDER BY wallet.id, coalesce(token, ''), due.id`,
    values: [now, after?.walletId ?? 0, after?.token ?? "", limit],
  });
  return rowsOf(due, rows);
}

/** Whether a round of sending might find something to do; most of the time it wouldn't, and asks nothing else. */
export async function isAnythingToSend(
  db: Queryable,
  moments: { now: Date; sentBefore: Date; signedBefore: Date },
): Promise<boolean> {
  const { rows } = await db.query({
    name: "is_anything_to_send",
    text: `SELECT EXISTS (SELECT FROM instruction WHERE state = 'queued' AND ${isDue})
             OR EXISTS (
               SELECT FROM chain_tx LEFT JOIN LATERAL (
                 SELECT * FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
               WHERE state = 'open' AND (last.sent_at IS NULL OR last.sent_at < $2 OR last.created_at < $3 OR last.last_answer = 'insufficient_funds')) AS anything`,
    values: [moments.now, moments.sentBefore, moments.signedBefore],
  });
  return cellOf(flag, rows);
}

const flow = z.object({ wallet_id: id, token: z.string().nullable(), outgoing: big, incoming: big });
/** Per wallet and token: what is signed and not mined yet, out of it and into it. */
export async function readFlows(db: Queryable, walletIds: string[]) {
  const { rows } = await db.query(
    `SELECT wallet.id AS wallet_id, token,
       coalesce(sum(amount) FILTER (WHERE source_wallet_id = wallet.id AND state = 'sending'), 0) AS outgoing,
       coalesce(sum(amount) FILTER (WHERE destination = wallet.address AND state IN ('gathering', 'queued', 'sending')), 0) AS incoming
     FROM wallet JOIN instruction ON source_wallet_id = wallet.id OR destination = wallet.address
     WHERE wallet.id = ANY ($1::bigint[]) AND state IN ('gathering', 'queued', 'sending') GROUP BY wallet.id, token`,
    [walletIds],
  );
  return rowsOf(flow, rows);
}

/** A wallet gets ether, by as many top-ups as given, when no other one of it is on its way. */
export async function insertTopups(
  tx: Tx,
  { walletAddress, wei }: { walletAddress: string; wei: bigint[] },
): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.topup'))");
  await tx.query(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
     SELECT 'topup', wallet.id, NULL, $1::text, part, 'topup:' || $1::text FROM wallet CROSS JOIN unnest($2::numeric[]) AS part
     WHERE purpose = 'gas' AND NOT EXISTS (
       SELECT FROM instruction WHERE kind = 'topup' AND destination = $1::text AND state IN ('queued', 'sending'))`,
    [walletAddress, wei.map(String)],
  );
}

/** Parks what its recipient's token refuses; it blocks nobody. Only while nothing is signed. */
export async function parkInstruction(
  tx: Tx,
  { instructionId, note }: { instructionId: string; note: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    "UPDATE instruction SET state = 'parked', note = $2, changed_at = now() WHERE id = $1 AND state = 'queued'",
    [instructionId, note.slice(0, 300)],
  );
  return rowCount === 1;
}

/** Nobody else spends its nonces meanwhile. */
export async function lockWallet(tx: Tx, walletId: string): Promise<void> {
  await tx.query("SELECT 1 FROM wallet WHERE id = $1 FOR UPDATE", [walletId]);
}

const allocated = z.object({ instruction_id: id });
/**
 * Spends the wallet's next nonces on instructions that are still queued and still due (a collection may have got a leg
 * since that isn't final), one each, in order; they are `sending` from now
 * on. The wallet's row is locked, so that two workers can't spend one nonce.
 */
export async function allocateNonces(
  tx: Tx,
  { walletId, uses }: { walletId: string; uses: { instructionId: string; gasLimit: bigint }[] },
) {
  await lockWallet(tx, walletId);
  const { rows } = await tx.query({
    name: "allocate_nonces",
    text: `WITH taken AS (
             UPDATE instruction SET state = 'sending', changed_at = now() FROM unnest($2::bigint[], $3::bigint[]) AS given (id, gas_limit)
             WHERE instruction.id = given.id AND state = 'queued' AND source_wallet_id = $1
               AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING instruction.id, given.gas_limit),
           numbered AS (SELECT id, gas_limit, row_number() OVER (ORDER BY id) - 1 AS place FROM taken),
           spent AS (
             INSERT INTO chain_tx (wallet_id, nonce, gas_limit)
             SELECT $1, wallet.next_nonce + place, gas_limit FROM numbered JOIN wallet ON wallet.id = $1
             RETURNING id, nonce),
           moved AS (UPDATE wallet SET next_nonce = next_nonce + (SELECT count(*) FROM taken) WHERE id = $1)
           INSERT INTO chain_tx_instruction (chain_tx_id, ordinal, instruction_id)
           SELECT spent.id, 0, numbered.id FROM spent JOIN wallet ON wallet.id = $1 JOIN numbered ON nonce = next_nonce + place
           RETURNING instruction_id`,
    values: [walletId, uses.map((use) => use.instructionId), uses.map((use) => use.gasLimit.toString())],
  });
  return rowsOf(allocated, rows);
}

/**
 * Spends one nonce of the gas wallet on all of these instructions of one wallet that are still queued, in the order of
 * their ids. When that wallet hasn't authorised the executor yet, it spends one nonce of its own on it, in the same
 * transaction. Answers how many are paid.
 */
export async function allocateBatch(
  tx: Tx,
  batch: {
    gasWalletId: string;
    sourceWalletId: string;
    executor: string;
    instructionIds: string[];
    gasLimit: bigint;
  },
): Promise<number> {
  const { gasWalletId, sourceWalletId } = batch;
  for (const walletId of [gasWalletId, sourceWalletId]) await lockWallet(tx, walletId);
  const { rowCount } = await tx.query({
    name: "allocate_batch",
    text: `WITH taken AS (
             UPDATE instruction SET state = 'sending', changed_at = now()
             WHERE id = ANY ($3::bigint[]) AND state = 'queued' AND source_wallet_id = $2
               AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING id),
           spent AS (
             INSERT INTO chain_tx (wallet_id, nonce, gas_limit)
             SELECT id, next_nonce, $4 FROM wallet WHERE id = $1 AND EXISTS (SELECT FROM taken) RETURNING id),
           authorised AS (
             INSERT INTO authorisation (wallet_id, nonce, executor, chain_tx_id)
             SELECT wallet.id, next_nonce, $5::text, spent.id FROM wallet CROSS JOIN spent
             WHERE wallet.id = $2 AND $5::text IS DISTINCT FROM (
               SELECT executor FROM authorisation WHERE wallet_id = wallet.id ORDER BY nonce DESC LIMIT 1)
             RETURNING wallet_id),
           moved AS (
             UPDATE wallet SET next_nonce = next_nonce + 1
             WHERE id IN (SELECT $1::bigint FROM spent UNION ALL SELECT wallet_id FROM authorised))
           INSERT INTO chain_tx_instruction (chain_tx_id, ordinal, instruction_id)
           SELECT spent.id, row_number() OVER (ORDER BY taken.id) - 1, taken.id FROM taken CROSS JOIN spent`,
    values: [gasWalletId, sourceWalletId, batch.instructionIds, batch.gasLimit.toString(), batch.executor],
  });
  return rowCount ?? 0;
}

const way = z.object({ wallet_id: id, way: z.enum(["alone", "together"]) });
/**
 * How each of these wallets has payments under way, up to finality: by transactions of its own, or by the gas wallet's. Its
 * nonces are safe only while one way is over before the other begins.
 */
export async function readWaysUnderWay(db: Queryable, walletIds: string[]) {
  const { rows } = await db.query({
    name: "read_ways_under_way",
    text: `SELECT DISTINCT source_wallet_id AS wallet_id, CASE WHEN instruction_tx.wallet_id = source_wallet_id THEN 'alone' ELSE 'together' END AS way
           FROM instruction JOIN instruction_tx ON instruction_id = instruction.id AND instruction_tx.state IN ('open', 'mined')
           WHERE source_wallet_id = ANY ($1::bigint[]) AND instruction.state IN ('sending', 'mined')`,
    values: [walletIds],
  });
  return rowsOf(way, rows);
}

/** The gas wallet deploys the executor, unless it did or tried to before. */
export async function insertDeployment(tx: Tx, executor: string): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.deploy'))");
  await tx.query(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
     SELECT 'deploy', wallet.id, NULL, $1::text, 0, 'deploy:' || $1::text FROM wallet
     WHERE purpose = 'gas' AND NOT EXISTS (SELECT FROM instruction WHERE kind = 'deploy' AND destination = $1::text)`,
    [executor],
  );
}

const purpose = z.enum(["vault", "gas", "deposit", "escrow"]);
const unsigned = z.object({
  chain_tx_id: id,
  /** In the order in which they are paid. */
  instruction_ids: z.array(id).min(1),
  /** Whose nonce it is. */
  wallet_id: id,
  nonce: count,
  gas_limit: big,
  purpose,
  derivation_index: count,
  /** Whose tokens are moved. */
  source_id: id,
  source_purpose: purpose,
  source_index: count,
  source_frozen: z.boolean(),
  authorisation_nonce: count.nullable(),
  attempts: count,
  max_fee_per_gas: big.nullable(),
  max_priority_fee_per_gas: big.nullable(),
});
export type Unsigned = z.output<typeof unsigned>;
const toSign = `SELECT chain_tx.id AS chain_tx_id, instruction_ids, chain_tx.wallet_id, chain_tx.nonce, gas_limit, wallet.purpose, wallet.derivation_index,
    source_id, source.purpose AS source_purpose, source.derivation_index AS source_index, source.frozen_reason IS NOT NULL AS source_frozen,
    authorisation.nonce AS authorisation_nonce, coalesce(last.number, 0) AS attempts, last.max_fee_per_gas, last.max_priority_fee_per_gas
  FROM chain_tx JOIN wallet ON wallet.id = wallet_id
  JOIN LATERAL (
    SELECT array_agg(instruction_id::text ORDER BY ordinal) AS instruction_ids, min(source_wallet_id) AS source_id
    FROM chain_tx_instruction JOIN instruction ON instruction.id = instruction_id WHERE chain_tx_id = chain_tx.id) AS paid ON true
  JOIN wallet source ON source.id = source_id
  LEFT JOIN authorisation ON authorisation.chain_tx_id = chain_tx.id
  LEFT JOIN LATERAL (SELECT * FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
  WHERE chain_tx.state = 'open' AND wallet.frozen_reason IS NULL`;

/** Nonces that are spent and have no signed bytes yet. */
export async function readUnsigned(db: Queryable, limit: number): Promise<Unsigned[]> {
  const { rows } = await db.query({
    name: "read_unsigned",
    text: `${toSign} AND last.number IS NULL ORDER BY chain_tx.wallet_id, chain_tx.nonce LIMIT $1`,
    values: [limit],
  });
  return rowsOf(unsigned, rows);
}

/** Those whose last attempt has been out for too long: the next one pays more. */
export async function readStuck(
  db: Queryable,
  { signedBefore, limit }: { signedBefore: Date; limit: number },
): Promise<Unsigned[]> {
  const { rows } = await db.query(
    `${toSign} AND last.created_at < $1 AND last.sent_at IS NOT NULL AND last.number < 50 ORDER BY chain_tx.wallet_id, chain_tx.nonce LIMIT $2`,
    [signedBefore, limit],
  );
  return rowsOf(unsigned, rows);
}

export interface NewAttempt {
  hash: string;
  chainTxId: string;
  number: number;
  raw: string;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
  createdAt: Date;
}
/** Keeps signed bytes before anybody sees them. Another worker's attempt of the same number stands; ours is dropped. */
export async function storeAttempts(tx: Tx, attempts: NewAttempt[]): Promise<void> {
  await tx.query({
    name: "store_attempts",
    text: `INSERT INTO attempt (hash, chain_tx_id, number, raw, max_fee_per_gas, max_priority_fee_per_gas, created_at)
           SELECT * FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::text[], $5::numeric[], $6::numeric[], $7::timestamptz[])
           ON CONFLICT DO NOTHING`,
    values: [
      attempts.map((row) => row.hash),
      attempts.map((row) => row.chainTxId),
      attempts.map((row) => row.number),
      attempts.map((row) => row.raw),
      attempts.map((row) => row.maxFeePerGas.toString()),
      attempts.map((row) => row.maxPriorityFeePerGas.toString()),
      attempts.map((row) => row.createdAt),
    ],
  });
}

const outgoing = z.object({
  hash: z.string(),
  raw: z.string(),
  instruction_ids: z.array(id),
  first: z.boolean(),
});
/** The newest attempt of each open nonce that was never sent, or whose last sending is long ago; in nonce order. */
export async function readUnsent(db: Queryable, { sentBefore, limit }: { sentBefore: Date; limit: number }) {
  const { rows } = await db.query({
    name: "read_unsent",
    text: `SELECT last.hash, last.raw, last.sent_at IS NULL AND last.number = 1 AS first,
             (SELECT array_agg(instruction_id::text) FROM chain_tx_instruction WHERE chain_tx_id = chain_tx.id) AS instruction_ids
           FROM chain_tx JOIN wallet ON wallet.id = wallet_id
           JOIN LATERAL (SELECT * FROM attempt WHERE chain_tx_id = chain_tx.id ORDER BY number DESC LIMIT 1) AS last ON true
           WHERE chain_tx.state = 'open' AND frozen_reason IS NULL AND (last.sent_at IS NULL OR last.sent_at < $1)
           ORDER BY wallet_id, nonce LIMIT $2`,
    values: [sentBefore, limit],
  });
  return rowsOf(outgoing, rows);
}

/** What the node said, for people to read; no decision rests on it. */
export async function recordAnswers(
  tx: Tx,
  answers: { hash: string; answer: string; sentAt: Date }[],
): Promise<void> {
  await tx.query({
    name: "record_answers",
    text: `UPDATE attempt SET last_answer = given.answer, sent_at = given.sent_at
           FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS given (hash, answer, sent_at) WHERE attempt.hash = given.hash`,
    values: [
      answers.map((row) => row.hash),
      answers.map((row) => row.answer.slice(0, 200)),
      answers.map((row) => row.sentAt),
    ],
  });
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

/**
 * Collections whose deposits are final are sent when they hold enough, or when the vault owes more than it can see
 * coming otherwise.
 */
export async function releaseCollections(
  tx: Tx,
  { finalized, minima }: { finalized: bigint; minima: ReadonlyMap<string, bigint> },
): Promise<void> {
  await tx.query({
    name: "release_collections",
    text: `UPDATE instruction SET state = 'queued', changed_at = now()
           WHERE state = 'gathering' AND not_before_block <= $1 AND (
             amount >= coalesce((SELECT minimum FROM unnest($2::text[], $3::numeric[]) AS given (token, minimum) WHERE given.token = instruction.token), 0)
             OR EXISTS (SELECT FROM instruction owed JOIN wallet ON wallet.id = owed.source_wallet_id
                        WHERE wallet.purpose = 'vault' AND owed.token = instruction.token AND owed.state = 'queued'))`,
    values: [finalized.toString(), [...minima.keys()], [...minima.values()].map(String)],
  });
}

const waiting = z.object({ chain_tx_id: id, hash: z.string() });
/** Attempts of open nonces that were sent a while ago: their receipts tell what the blocks' logs don't. */
export async function readWaiting(
  db: Queryable,
  { sentBefore, limit }: { sentBefore: Date; limit: number },
): Promise<z.output<typeof waiting>[]> {
  const { rows } = await db.query({
    name: "read_waiting",
    text: `SELECT chain_tx_id, attempt.hash FROM chain_tx JOIN attempt ON attempt.chain_tx_id = chain_tx.id
           WHERE chain_tx.state = 'open' AND attempt.created_at < $1 AND attempt.sent_at IS NOT NULL
           ORDER BY chain_tx.id, number DESC LIMIT $2`,
    values: [sentBefore, limit],
  });
  return rowsOf(waiting, rows);
}

const activeWallet = z.object({ id, address: z.string(), next_nonce: big });
/**
 * Wallets that have spent a nonce, by a transaction or an authorisation: the chain must not know of more than we do. The
 * two that are used all the time come first, then the most recently used.
 */
export async function readActiveWallets(db: Queryable, limit: number) {
  const { rows } = await db.query(
    `SELECT wallet.id, address, next_nonce FROM wallet WHERE address IS NOT NULL AND frozen_reason IS NULL AND next_nonce > 0
     ORDER BY purpose IN ('vault', 'gas') DESC, greatest(
       (SELECT max(chain_tx.id) FROM chain_tx WHERE wallet_id = wallet.id),
       (SELECT max(chain_tx_id) FROM authorisation WHERE wallet_id = wallet.id)) DESC LIMIT $1`,
    [limit],
  );
  return rowsOf(activeWallet, rows);
}

export async function freezeWallet(
  tx: Tx,
  { walletId, reason }: { walletId: string; reason: string },
): Promise<void> {
  await tx.query("UPDATE wallet SET frozen_reason = coalesce(frozen_reason, $2) WHERE id = $1", [
    walletId,
    reason,
  ]);
}

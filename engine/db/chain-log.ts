/** Transfer logs that touch our wallets, and the deposits among them. */
import { z } from "zod";
import { big, count, id, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

export interface NewChainLog {
  txHash: string;
  token: string;
  ordinal: number;
  sender: string;
  recipient: string;
  amount: bigint;
  blockNumber: bigint;
  blockHash: string;
  logIndex: number;
  stampedAt: Date;
  kind: "deposit" | "move" | "outgoing" | "stray";
  senderWalletId: string | null;
  recipientWalletId: string | null;
  /** Of a deposit: whose it is, or why nobody's. */
  playerId: string | null;
  suspenseCause: string | null;
}
/** What every kept log has, as columns and as the arrays that `unnest` makes them of: $1 to $10. */
export const loggedColumns =
  "tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash, log_index, stamped_at";
export const loggedArrays =
  "$1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::numeric[], $7::bigint[], $8::text[], $9::int[], $10::timestamptz[]";
export const loggedValues = (logs: NewChainLog[]) => [
  logs.map((log) => log.txHash),
  logs.map((log) => log.token),
  logs.map((log) => log.ordinal),
  logs.map((log) => log.sender),
  logs.map((log) => log.recipient),
  logs.map((log) => log.amount.toString()),
  logs.map((log) => log.blockNumber.toString()),
  logs.map((log) => log.blockHash),
  logs.map((log) => log.logIndex),
  logs.map((log) => log.stampedAt),
];

const kept = z.object({ tx_hash: z.string(), token: z.string(), ordinal: count, deposit_id: id.nullable() });
export type KeptChainLog = z.output<typeof kept>;

/**
 * Keeps logs of a canonical block, and a deposit for each that is one. Answers only those that are new: seen for the first
 * time, or included again after a reorg had taken them back (`inclusion` counts; its deposit starts anew as `seen`, read
 * afresh). A log that stands already is left alone, whatever it is shown as.
 */
export async function keepChainLogs(tx: Tx, logs: NewChainLog[]): Promise<KeptChainLog[]> {
  const { rows } = await tx.query({
    name: "keep_chain_logs",
    text: `WITH given AS MATERIALIZED (
             SELECT * FROM unnest(${loggedArrays}, $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[])
               AS given (${loggedColumns}, kind, sender_wallet_id, recipient_wallet_id, player_id, suspense_cause)),
           kept AS (
             INSERT INTO chain_log (${loggedColumns}, kind, sender_wallet_id, recipient_wallet_id)
             SELECT ${loggedColumns}, kind, sender_wallet_id, recipient_wallet_id FROM given
             ON CONFLICT (tx_hash, token, ordinal) DO UPDATE SET canonical = true, inclusion = chain_log.inclusion + 1,
               sender = EXCLUDED.sender, recipient = EXCLUDED.recipient, amount = EXCLUDED.amount, block_number = EXCLUDED.block_number,
               block_hash = EXCLUDED.block_hash, log_index = EXCLUDED.log_index, stamped_at = EXCLUDED.stamped_at, kind = EXCLUDED.kind,
               sender_wallet_id = EXCLUDED.sender_wallet_id, recipient_wallet_id = EXCLUDED.recipient_wallet_id
               WHERE NOT chain_log.canonical
             RETURNING id, tx_hash, token, ordinal),
           deposited AS (
             INSERT INTO deposit (chain_log_id, token, amount, wallet_id, player_id, suspense_cause, suspense_state, state)
             SELECT kept.id, token, amount, recipient_wallet_id, player_id, suspense_cause, CASE WHEN suspense_cause IS NOT NULL THEN 'open' END, 'seen'
             FROM kept JOIN given USING (tx_hash, token, ordinal) WHERE kind = 'deposit' ORDER BY kept.id
             ON CONFLICT (chain_log_id) DO UPDATE SET state = 'seen', amount = EXCLUDED.amount, wallet_id = EXCLUDED.wallet_id, player_id = EXCLUDED.player_id,
               suspense_cause = EXCLUDED.suspense_cause, suspense_state = EXCLUDED.suspense_state, claimed_by = NULL
               WHERE deposit.state = 'orphaned' AND NOT deposit.credited
             RETURNING id, chain_log_id)
           SELECT tx_hash, token, ordinal, deposited.id AS deposit_id FROM kept LEFT JOIN deposited ON chain_log_id = kept.id`,
    values: [
      ...loggedValues(logs),
      logs.map((log) => log.kind),
      logs.map((log) => log.senderWalletId),
      logs.map((log) => log.recipientWalletId),
      logs.map((log) => log.playerId),
      logs.map((log) => log.suspenseCause),
    ],
  });
  return rowsOf(kept, rows);
}

const told = z.object({
  tx_hash: z.string(),
  token: z.string(),
  ordinal: count,
  sender: z.string(),
  recipient: z.string(),
  amount: big,
  block_number: big,
  block_hash: z.string(),
});
export type ToldLog = z.output<typeof told>;
/** What the books hold of the blocks above one, up to another. */
export async function readLogsOfBlocks(
  db: Queryable,
  { above, upTo }: { above: bigint; upTo: bigint },
): Promise<ToldLog[]> {
  const { rows } = await db.query({
    name: "read_logs_of_blocks",
    text: `SELECT tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash FROM chain_log
           WHERE canonical AND block_number > $1 AND block_number <= $2 ORDER BY id`,
    values: [above.toString(), upTo.toString()],
  });
  return rowsOf(told, rows);
}

/** Takes back every log above a block. */
export async function orphanChainLogs(tx: Tx, aboveBlock: bigint): Promise<void> {
  await tx.query("UPDATE chain_log SET canonical = false WHERE canonical AND block_number > $1", [
    aboveBlock.toString(),
  ]);
}

const owner = z.object({ address: z.string(), player_id: id });
/** Whose wallets these addresses are. */
export async function readOwners(db: Queryable, addresses: string[]): Promise<Map<string, string>> {
  const { rows } = await db.query({
    name: "read_owners",
    text: "SELECT address, player_id FROM player_wallet WHERE address = ANY ($1::text[])",
    values: [addresses],
  });
  return new Map(rowsOf(owner, rows).map((row) => [row.address, row.player_id]));
}

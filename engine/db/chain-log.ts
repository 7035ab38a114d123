/** Transfer logs that touch our wallets. */
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
}
const kept = z.object({ id, tx_hash: z.string(), token: z.string(), ordinal: count, inclusion: count });
export type KeptChainLog = z.output<typeof kept>;

/**
 * Keeps logs of a canonical block. Answers only those that are new: seen for the first time, or included again after a
 * reorg had taken them back (`inclusion` counts). A log that stands already is left alone, whatever it is shown as.
 */
export async function keepChainLogs(tx: Tx, logs: NewChainLog[]): Promise<KeptChainLog[]> {
  const { rows } = await tx.query({
    name: "keep_chain_logs",
    text: `INSERT INTO chain_log (tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash, log_index, stamped_at, kind, sender_wallet_id, recipient_wallet_id)
           SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::numeric[], $7::bigint[], $8::text[], $9::int[], $10::timestamptz[], $11::text[], $12::bigint[], $13::bigint[])
           ON CONFLICT (tx_hash, token, ordinal) DO UPDATE SET canonical = true, inclusion = chain_log.inclusion + 1,
             sender = EXCLUDED.sender, recipient = EXCLUDED.recipient, amount = EXCLUDED.amount, block_number = EXCLUDED.block_number,
             block_hash = EXCLUDED.block_hash, log_index = EXCLUDED.log_index, stamped_at = EXCLUDED.stamped_at, kind = EXCLUDED.kind,
             sender_wallet_id = EXCLUDED.sender_wallet_id, recipient_wallet_id = EXCLUDED.recipient_wallet_id
             WHERE NOT chain_log.canonical
           RETURNING id, tx_hash, token, ordinal, inclusion`,
    values: [
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
      logs.map((log) => log.kind),
      logs.map((log) => log.senderWalletId),
      logs.map((log) => log.recipientWalletId),
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

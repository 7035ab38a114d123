/** Deposits that nobody could be credited for. */
import { z } from "zod";
import { big, columnOf, count, id, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const item = z.object({
  id,
  token: z.string(),
  amount: big,
  wallet_id: id,
  wallet_purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  cause: z.string(),
  suspense_state: z.enum(["open", "claimed", "refunded"]),
  is_final: z.boolean(),
  /** How often it was sent back; all of them were refused while it is open. */
  refunds: count,
  /** Whose verified wallet the sender is. */
  sender_player_id: id.nullable(),
  landed_frozen: z.boolean(),
  /** Something of the books doesn't hold. */
  is_breached: z.boolean(),
  in_recovery: z.boolean(),
  sender: z.string(),
  sender_is_ours: z.boolean(),
  recipient: z.string(),
  tx_hash: z.string(),
  block_number: big,
  created_at: moment,
  claimed_by: id.nullable(),
  claimed_by_handle: z.string().nullable(),
});
export type SuspenseRow = z.output<typeof item>;

export const mostRefunds = 9;
/** The ledger's key of the nth try to send a deposit back. */
export const refundKey = (depositId: string, number: number): string =>
  number === 1 ? `refund:${depositId}` : `refund:${depositId}:${number}`;
const refundKeys = `ARRAY(SELECT 'refund:' || deposit.id || CASE number WHEN 1 THEN '' ELSE ':' || number END FROM generate_series(1, ${mostRefunds}) AS number)`;

const select = `SELECT deposit.id, deposit.token, deposit.amount, deposit.wallet_id, landed.purpose AS wallet_purpose,
    suspense_cause AS cause, suspense_state, deposit.state = 'final' AND credited AND canonical AS is_final,
    (SELECT count(*) FROM transfer WHERE business_key = ANY (${refundKeys})) AS refunds,
    (SELECT player_id FROM player_wallet WHERE player_wallet.address = sender) AS sender_player_id,
    landed.frozen_reason IS NOT NULL AS landed_frozen, EXISTS (SELECT FROM breach WHERE lifted_at IS NULL) AS is_breached,
    EXISTS (SELECT FROM recovery WHERE ended_at IS NULL) AS in_recovery, sender,
    EXISTS (SELECT FROM wallet WHERE wallet.address = sender) AS sender_is_ours, recipient, tx_hash, block_number,
    deposit.created_at, claimed_by, player.handle AS claimed_by_handle
  FROM deposit JOIN chain_log ON chain_log.id = chain_log_id JOIN wallet landed ON landed.id = deposit.wallet_id
  LEFT JOIN player ON player.id = claimed_by`;

/** Open ones first, the largest of them before the others, whatever dust somebody has sent; then the newest. */
export async function listSuspense(db: Queryable, limit: number): Promise<SuspenseRow[]> {
  const { rows } = await db.query(
    `${select} JOIN token ON token.address = deposit.token WHERE suspense_state IS NOT NULL
     ORDER BY suspense_state = 'open' DESC, CASE suspense_state WHEN 'open' THEN deposit.amount / 10::numeric ^ decimals END DESC, deposit.id DESC
     LIMIT $1`,
    [limit],
  );
  return rowsOf(item, rows);
}

export async function readSuspense(db: Queryable, depositId: string): Promise<SuspenseRow | null> {
  const { rows } = await db.query(`${select} WHERE deposit.id = $1 AND suspense_state IS NOT NULL`, [
    depositId,
  ]);
  return rowsOf(item, rows)[0] ?? null;
}

const ownItem = item
  .pick({
    id: true,
    token: true,
    amount: true,
    sender: true,
    recipient: true,
    tx_hash: true,
    created_at: true,
  })
  .extend({
    cause: z.enum(["unknown_sender", "minted", "escrow", "gas_wallet", "unassigned_deposit_address"]),
    suspense_state: z.enum(["open", "refunded"]),
    /** Sent by a wallet of the player's. */
    is_sender: z.boolean(),
    /** Whether the refund is in a final block. */
    is_back: z.boolean(),
  });
export type OwnSuspenseRow = z.output<typeof ownItem>;

/** What a player's wallets have sent, or came to the player's address, and nobody was credited for. Open ones first. */
export async function listSuspenseOf(
  db: Queryable,
  { playerId, limit }: { playerId: string; limit: number },
): Promise<OwnSuspenseRow[]> {
  const { rows } = await db.query(
    `SELECT deposit.id, deposit.token, deposit.amount, suspense_cause AS cause, suspense_state, sender, recipient, tx_hash,
       deposit.created_at, own.address IS NOT NULL AS is_sender,
       EXISTS (SELECT FROM transfer JOIN instruction_leg ON transfer_id = transfer.id JOIN instruction ON instruction.id = instruction_id
         WHERE business_key = ANY (${refundKeys}) AND instruction.state = 'final') AS is_back
     FROM deposit JOIN chain_log ON chain_log.id = chain_log_id JOIN wallet landed ON landed.id = deposit.wallet_id
       LEFT JOIN player_wallet own ON own.address = sender AND own.player_id = $1
     WHERE suspense_state IN ('open', 'refunded') AND deposit.state <> 'orphaned' AND (own.address IS NOT NULL OR landed.player_id = $1)
     ORDER BY suspense_state = 'open' DESC, deposit.id DESC LIMIT $2`,
    [playerId, limit],
  );
  return rowsOf(ownItem, rows);
}

/** The same, locked: nobody else claims or refunds it meanwhile. */
export async function lockSuspense(tx: Tx, depositId: string): Promise<SuspenseRow | null> {
  await tx.query("SELECT 1 FROM deposit WHERE id = $1 FOR UPDATE", [depositId]);
  return readSuspense(tx, depositId);
}

const isThere = "suspense_state = 'open' AND deposit.state = 'final' AND credited AND chain_log.canonical";
// A frozen wallet may not hold it any more, nor may any while the books don't agree with the chain.
const claimable = `${isThere}
  AND wallet.frozen_reason IS NULL AND NOT EXISTS (SELECT FROM breach WHERE lifted_at IS NULL)`;

/** Locks what one address has sent and may be claimed, oldest first. Those that somebody else is claiming are waited for. */
export async function lockClaimable(
  tx: Tx,
  { sender, limit }: { sender: string; limit: number },
): Promise<SuspenseRow[]> {
  const { rows } = await tx.query(
    `SELECT deposit.id FROM deposit JOIN chain_log ON chain_log.id = chain_log_id JOIN wallet ON wallet.id = deposit.wallet_id
     WHERE sender = $1 AND ${claimable} ORDER BY deposit.id LIMIT $2 FOR UPDATE OF deposit`,
    [sender, limit],
  );
  return readItems(tx, columnOf(id, rows));
}

/**
 * Locks what lies in a wallet and was sent by a player's, oldest first: of one player where `playerId` is given, of exactly
 * that `amount` where one is. Also from a frozen wallet: call it only for what the chain says has left.
 */
export async function lockProven(
  tx: Tx,
  input: { walletId: string; token: string; playerId?: string; amount?: bigint },
): Promise<SuspenseRow[]> {
  const { rows } = await tx.query(
    `SELECT deposit.id FROM deposit JOIN chain_log ON chain_log.id = chain_log_id JOIN player_wallet ON player_wallet.address = sender
     WHERE deposit.wallet_id = $1 AND deposit.token = $2 AND ($3::bigint IS NULL OR player_wallet.player_id = $3)
       AND ($4::numeric IS NULL OR deposit.amount = $4) AND ${isThere} ORDER BY deposit.id LIMIT 500 FOR UPDATE OF deposit`,
    [input.walletId, input.token, input.playerId ?? null, input.amount?.toString() ?? null],
  );
  return readItems(tx, columnOf(id, rows));
}

async function readItems(tx: Tx, depositIds: string[]): Promise<SuspenseRow[]> {
  if (depositIds.length === 0) return [];
  const { rows } = await tx.query(`${select} WHERE deposit.id = ANY ($1::bigint[]) ORDER BY deposit.id`, [
    depositIds,
  ]);
  return rowsOf(item, rows);
}

const claim = z.object({ player_id: id, address: z.string() });
/** Verified wallets of players who have something to claim. */
export async function readClaims(
  db: Queryable,
  limit: number,
): Promise<{ playerId: string; address: string }[]> {
  const { rows } = await db.query(
    `SELECT DISTINCT player_wallet.player_id, player_wallet.address
     FROM deposit JOIN chain_log ON chain_log.id = chain_log_id JOIN wallet ON wallet.id = deposit.wallet_id
       JOIN player_wallet ON player_wallet.address = sender
     WHERE ${claimable} LIMIT $1`,
    [limit],
  );
  return rowsOf(claim, rows).map((row) => ({ playerId: row.player_id, address: row.address }));
}

export async function markClaimed(
  tx: Tx,
  { depositIds, playerId }: { depositIds: string[]; playerId: string },
): Promise<void> {
  const { rowCount } = await tx.query(
    `UPDATE deposit SET suspense_state = 'claimed', claimed_by = $2
     WHERE id = ANY ($1::bigint[]) AND suspense_state = 'open'`,
    [depositIds, playerId],
  );
  if (rowCount !== depositIds.length) throw new Error("a deposit was claimed without its lock");
}

export async function markRefunded(tx: Tx, depositId: string): Promise<void> {
  const { rowCount } = await tx.query(
    "UPDATE deposit SET suspense_state = 'refunded' WHERE id = $1 AND suspense_state = 'open'",
    [depositId],
  );
  if (rowCount !== 1) throw new Error(`deposit ${depositId} was refunded without its lock`);
}

/** What was to go back to its sender was refused there. */
export async function markReopened(tx: Tx, depositId: string): Promise<void> {
  const { rowCount } = await tx.query(
    "UPDATE deposit SET suspense_state = 'open' WHERE id = $1 AND suspense_state = 'refunded'",
    [depositId],
  );
  if (rowCount !== 1) throw new Error(`deposit ${depositId} wasn't to be refunded`);
}

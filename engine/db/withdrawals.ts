/** Withdrawals: what a player asked for, and how far its chain transfer is. */
import { z } from "zod";
import { big, cellOf, firstCellOf, id, moment, rowsOf } from "./decode.ts";
import type { Below } from "./page.ts";
import type { Queryable, Tx } from "./pool.ts";

const withdrawal = z.object({
  id: z.string(),
  player_id: id,
  token: z.string(),
  amount: big,
  address: z.string(),
  created_at: moment,
  state: z.string().nullable(),
  hash: z.string().nullable(),
});
export type WithdrawalRow = z.output<typeof withdrawal>;

// The transaction that did it; before that, the newest attempt.
const select = `SELECT withdrawal.id, withdrawal.player_id, withdrawal.token, withdrawal.amount, address, withdrawal.created_at,
    instruction.state, coalesce(last.mined_hash,
      (SELECT hash FROM attempt WHERE chain_tx_id = last.id ORDER BY number DESC LIMIT 1)) AS hash
  FROM withdrawal LEFT JOIN instruction ON instruction.id = instruction_id
  LEFT JOIN LATERAL (SELECT id, mined_hash FROM instruction_tx WHERE instruction_tx.instruction_id = withdrawal.instruction_id
    ORDER BY id DESC LIMIT 1) AS last ON true`;

export async function insertWithdrawal(
  tx: Tx,
  input: {
    id: string;
    playerId: string;
    token: string;
    amount: bigint;
    address: string;
    instructionId: string;
    at: Date;
  },
): Promise<void> {
  await tx.query(
    `INSERT INTO withdrawal (id, player_id, token, amount, address, instruction_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      input.id,
      input.playerId,
      input.token,
      input.amount.toString(),
      input.address,
      input.instructionId,
      input.at,
    ],
  );
}

/** Withdrawals that these instructions carry out. */
export async function readWithdrawalsOf(db: Queryable, instructionIds: string[]): Promise<WithdrawalRow[]> {
  const { rows } = await db.query({
    name: "read_withdrawals_of",
    text: `${select} WHERE withdrawal.instruction_id = ANY ($1::bigint[]) ORDER BY withdrawal.created_at, withdrawal.id`,
    values: [instructionIds],
  });
  return rowsOf(withdrawal, rows);
}

/** A player's, newest first, below a place in the list. */
export async function listWithdrawals(
  db: Queryable,
  input: { playerId: string; below: Below | null; limit: number },
): Promise<WithdrawalRow[]> {
  const { rows } = await db.query({
    name: "list_withdrawals",
    text: `${select} WHERE withdrawal.player_id = $1 AND ($2::timestamptz IS NULL
             OR withdrawal.created_at <= $2 AND (withdrawal.created_at < $2 OR withdrawal.id > $3::uuid))
           ORDER BY withdrawal.created_at DESC, withdrawal.id LIMIT $4`,
    values: [input.playerId, input.below?.at ?? null, input.below?.id ?? null, input.limit],
  });
  return rowsOf(withdrawal, rows);
}

/** What of a player's pool rests on blocks above the finalized one. Read it with the player's account locked. */
export async function readNotFinal(tx: Tx, input: { playerId: string; token: string }): Promise<bigint> {
  const { rows } = await tx.query({
    name: "read_not_final",
    text: `SELECT coalesce(sum(amount), 0) AS not_final FROM exposure WHERE player_id = $1 AND token = $2
             AND until_block > coalesce((SELECT finalized_number FROM chain_cursor), 0)`,
    values: [input.playerId, input.token],
  });
  return cellOf(big, rows);
}

/** Whose verified wallet an address is; null for nobody's. */
export async function readWalletOwner(db: Queryable, address: string): Promise<string | null> {
  const { rows } = await db.query("SELECT player_id FROM player_wallet WHERE address = $1", [address]);
  return firstCellOf(id, rows);
}

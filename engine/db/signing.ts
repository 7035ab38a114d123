/** What the signer reads for itself: committed rows, never what somebody hands it. */
import { z } from "zod";
import { big, count, firstOf, id, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const committed = z.object({
  id,
  kind: z.enum(["collect", "fund", "settle", "payout", "withdrawal", "sweep", "refund", "topup", "deploy"]),
  state: z.string(),
  source_address: z.string(),
  token: z.string().nullable(),
  destination: z.string(),
  amount: big,
  reverted_nonce: count.nullable(),
});

/** An instruction as committed, or null. */
export async function readCommittedInstruction(db: Queryable, instructionId: string) {
  const { rows } = await db.query({
    name: "read_committed_instruction",
    text: `SELECT instruction.id, kind, instruction.state, wallet.address AS source_address, token, destination, amount,
             (SELECT max(nonce) FROM chain_tx WHERE instruction_id = instruction.id AND chain_tx.state = 'reverted') AS reverted_nonce
           FROM instruction JOIN wallet ON wallet.id = source_wallet_id WHERE instruction.id = $1`,
    values: [instructionId],
  });
  const row = firstOf(committed, rows);
  if (row === null) return null;
  const { source_address: sourceAddress, reverted_nonce: nonce, ...rest } = row;
  return { ...rest, sourceAddress, failed: nonce === null ? null : { sender: sourceAddress, nonce } };
}

const signed = committed
  .omit({ id: true, state: true, reverted_nonce: true })
  .extend({ instruction_id: id, nonce: count, signed_at: moment });

/** What was signed since a moment, one row per instruction, oldest first: the signer's limits outlive a restart. */
export async function readSignedSince(db: Queryable, since: Date) {
  const { rows } = await db.query(
    `SELECT instruction.id AS instruction_id, kind, wallet.address AS source_address, token, destination, amount,
       max(chain_tx.nonce) AS nonce, min(attempt.created_at) AS signed_at
     FROM attempt JOIN chain_tx ON chain_tx.id = chain_tx_id JOIN instruction ON instruction.id = instruction_id
       JOIN wallet ON wallet.id = source_wallet_id
     GROUP BY instruction.id, wallet.address HAVING min(attempt.created_at) > $1 ORDER BY signed_at`,
    [since],
  );
  return rowsOf(signed, rows).map(({ instruction_id, source_address, signed_at, ...rest }) => ({
    ...rest,
    instructionId: instruction_id,
    sourceAddress: source_address,
    sender: source_address,
    together: [instruction_id],
    signedAt: signed_at.getTime(),
  }));
}

/** What the signer reads for itself: committed rows, never what somebody hands it. */
import { z } from "zod";
import { big, count, id, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const committed = z.object({
  id,
  kind: z.enum(["collect", "fund", "settle", "payout", "withdrawal", "sweep", "refund", "topup", "deploy"]),
  state: z.string(),
  source_address: z.string(),
  token: z.string().nullable(),
  destination: z.string(),
  amount: big,
  failed_sender: z.string().nullable(),
  failed_nonce: count.nullable(),
});

/** Instructions as committed, by id. */
export async function readCommittedInstructions(db: Queryable, instructionIds: readonly string[]) {
  const { rows } = await db.query({
    name: "read_committed_instructions",
    text: `SELECT instruction.id, kind, instruction.state, wallet.address AS source_address, token, destination, amount,
             failed.sender AS failed_sender, failed.nonce AS failed_nonce
           FROM instruction JOIN wallet ON wallet.id = source_wallet_id
             LEFT JOIN LATERAL (
               SELECT sender.address AS sender, nonce FROM instruction_tx JOIN wallet sender ON sender.id = wallet_id
               WHERE instruction_id = instruction.id AND instruction_tx.state = 'reverted' ORDER BY instruction_tx.id DESC LIMIT 1) AS failed ON true
           WHERE instruction.id = ANY ($1::bigint[])`,
    values: [instructionIds],
  });
  return new Map(
    rowsOf(committed, rows).map(
      ({ source_address: sourceAddress, failed_sender: sender, failed_nonce: nonce, ...rest }) => [
        rest.id,
        { ...rest, sourceAddress, failed: sender === null || nonce === null ? null : { sender, nonce } },
      ],
    ),
  );
}

const signed = committed.omit({ id: true, state: true, failed_sender: true, failed_nonce: true }).extend({
  instruction_id: id,
  sender: z.string(),
  nonce: count,
  together: z.array(id),
  signed_at: moment,
});

/** What was signed since a moment, one row per instruction and nonce, oldest first: the signer's limits outlive a restart. */
export async function readSignedSince(db: Queryable, since: Date) {
  const { rows } = await db.query(
    `SELECT instruction.id AS instruction_id, kind, wallet.address AS source_address, token, destination, amount,
       sender.address AS sender, nonce, signed_at,
       (SELECT array_agg(instruction_id::text ORDER BY ordinal) FROM chain_tx_instruction WHERE chain_tx_id = signed.id) AS together
     FROM (SELECT chain_tx.id, wallet_id, nonce, attempt.created_at AS signed_at
           FROM attempt JOIN chain_tx ON chain_tx.id = chain_tx_id WHERE number = 1 AND attempt.created_at > $1) AS signed
       JOIN chain_tx_instruction ON chain_tx_id = signed.id
       JOIN instruction ON instruction.id = instruction_id JOIN wallet ON wallet.id = source_wallet_id
       JOIN wallet sender ON sender.id = signed.wallet_id
     ORDER BY signed_at, signed.id, ordinal`,
    [since],
  );
  return rowsOf(signed, rows).map(({ instruction_id, source_address, signed_at, ...rest }) => ({
    ...rest,
    instructionId: instruction_id,
    sourceAddress: source_address,
    signedAt: signed_at.getTime(),
  }));
}

import { z } from "zod";
import { id, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const row = z.object({
  id,
  game_id: z.string(),
  player_id: id,
  handle: z.string(),
  text: z.string(),
  url: z.string().nullable(),
  created_at: moment,
});
export type EvidenceRow = z.output<typeof row>;

export async function insertEvidence(
  tx: Tx,
  input: { gameId: string; playerId: string; text: string; url: string | null; at: Date },
): Promise<void> {
  await tx.query({
    name: "insert_evidence",
    text: "INSERT INTO evidence (game_id, player_id, text, url, created_at) VALUES ($1, $2, $3, $4, $5)",
    values: [input.gameId, input.playerId, input.text, input.url, input.at],
  });
}

/** The evidence in some games, in the order given. At most 40 a game. */
export async function readEvidence(db: Queryable, gameIds: string[]): Promise<EvidenceRow[]> {
  const { rows } = await db.query({
    name: "read_evidence",
    text: `SELECT evidence.id, game_id, player_id, handle, text, url, evidence.created_at
           FROM evidence JOIN player ON player.id = player_id WHERE game_id = ANY ($1::uuid[]) ORDER BY evidence.id`,
    values: [gameIds],
  });
  return rowsOf(row, rows);
}

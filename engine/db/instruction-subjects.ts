import { z } from "zod";
import { id, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const subject = z.object({
  id,
  kind: z.string(),
  state: z.string(),
  game_id: z.string().nullable(),
  player_id: id.nullable(),
  token: z.string().nullable(),
});
/** What an instruction is about. */
export interface InstructionSubject {
  id: string;
  kind: string;
  state: string;
  gameId: string | null;
  playerId: string | null;
  token: string | null;
}

export async function readSubjects(db: Queryable, instructionIds: string[]): Promise<InstructionSubject[]> {
  const { rows } = await db.query({
    name: "read_subjects",
    text: "SELECT id, kind, state, game_id, player_id, token FROM instruction WHERE id = ANY ($1::bigint[]) ORDER BY id",
    values: [instructionIds],
  });
  return rowsOf(subject, rows).map(({ game_id: gameId, player_id: playerId, ...rest }) => ({
    ...rest,
    gameId,
    playerId,
  }));
}

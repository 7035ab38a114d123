/** The operator's view of what we owe on the chain, and the second try for what was refused. */
import type { z } from "zod";
import type { instruction, instructions } from "../contract/operations.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { isUniqueViolation } from "../db/errors.ts";
import {
  instructionState,
  readInstruction,
  listInstructions as readList,
  type ShownInstruction,
  unpark,
} from "../db/instruction-list.ts";
import type { Tx } from "../db/pool.ts";
import type { Token } from "../db/tokens.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { knownTokens, moneyOf } from "./tokens.ts";
import { change } from "./transaction.ts";

export type Instruction = z.output<typeof instruction>;
const idPattern = /^[1-9][0-9]{0,17}$/;

/** A page, newest first, of all states or one. */
export async function listInstructions(
  context: Context,
  { state, cursor, limit }: { state?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<Result<z.output<typeof instructions>>> {
  if (cursor !== undefined && !idPattern.test(cursor)) return reject("request_invalid", { field: "cursor" });
  const wanted = instructionState.optional().safeParse(state);
  if (!wanted.success) return reject("request_invalid", { field: "state" });
  const tokens = await knownTokens(context.pool);
  const rows = await readList(context.pool, {
    state: wanted.data ?? null,
    before: cursor ?? null,
    limit: limit + 1,
  });
  const items = rows.slice(0, limit).map((row) => instructionView(tokens, row));
  return accept({ items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null });
}

/**
 * Lets a parked instruction try again, with a nonce of its own.
 * @returns `not_found`, `not_parked`, also while a transaction of it may be mined, `overloaded` while its twin waits to be sent
 */
export async function retryInstruction(
  context: Context,
  {
    by,
    instructionId,
    reason,
  }: { by: { playerId: string; handle: string }; instructionId: string; reason: string },
): Promise<Result<Instruction>> {
  try {
    return await change(context, async (tx) => {
      if ((await readInstruction(tx, instructionId)) === null) return reject("not_found");
      if (!(await unpark(tx, instructionId))) {
        return reject("not_parked", {
          message: "Only a parked transfer of which nothing may be mined any more can be tried again.",
        });
      }
      await recordAct(tx, {
        actor: actorName(by),
        action: "retry_instruction",
        subject: `instruction:${instructionId}`,
        detail: { reason },
      });
      await tellInstructions(context, tx, [instructionId]);
      return accept(await viewInstruction(context, tx, instructionId));
    });
  } catch (error) {
    if (!isUniqueViolation(error, "instruction_merge_key")) throw error;
    return reject("overloaded", {
      message: "Another one of the same kind waits: try again when it is sent.",
    });
  }
}

/** One that is known to be there. */
export async function viewInstruction(context: Context, tx: Tx, instructionId: string): Promise<Instruction> {
  const row = await readInstruction(tx, instructionId);
  if (row === null) throw new Error(`instruction ${instructionId} is gone`);
  return instructionView(await knownTokens(context.pool), row);
}

const instructionView = (tokens: ReadonlyMap<string, Token>, row: ShownInstruction): Instruction => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  money: row.token === null ? null : moneyOf(tokens, row.token, row.amount),
  source: row.source,
  destination: row.destination,
  nonce: row.nonce,
  txHash: row.hash,
  attempts: row.attempts,
  gameId: row.game_id,
  note: row.note,
  createdAt: row.created_at.toISOString(),
});

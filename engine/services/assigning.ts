/** Whose money in suspense is, by an operator's word: for what has no sender, or one that can't prove itself. */
import { accept, type Result, reject } from "../contract/problems.ts";
import { readPlayerByHandle } from "../db/players.ts";
import { lockSuspense, readSuspense, type SuspenseRow } from "../db/suspense.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { approve } from "./operators.ts";
import { requireKnownBalances } from "./reading-again.ts";
import { creditFromSuspense, itemView, type SuspenseItem } from "./suspense.ts";
import { knownTokens } from "./tokens.ts";
import { change } from "./transaction.ts";

export interface Assignment {
  /** The operator. */
  by: { playerId: string; handle: string };
  depositId: string;
  /** The player whose money it is. */
  handle: string;
  reason: string;
}

/**
 * Credits an item in suspense to a player. Above the token's approval limit two operators must say the same; nobody
 * assigns anything to themselves.
 * @returns `not_found`, `suspense_not_open`, `suspense_in_doubt`, `not_final_yet`, `player_unknown`, `not_allowed`, `second_approval_needed`,
 * `switched_off` while balances aren't known (`requireKnownBalances`)
 */
export async function assignSuspense(
  context: Context,
  assignment: Assignment,
): Promise<Result<SuspenseItem>> {
  const { by, depositId, handle, reason } = assignment;
  const subject = `deposit:${depositId}`;
  const player = await readPlayerByHandle(context.pool, handle);
  if (player === null) return reject("player_unknown", { field: "handle" });
  if (player.id === by.playerId)
    return reject("not_allowed", { message: "Another operator must credit what is yours." });
  // Tried first, so that nobody's word is taken for an act that can't be.
  const wouldBe = checkAssignable(await readSuspense(context.pool, depositId), player.id);
  if (!wouldBe.ok) return wouldBe;
  const { token, amount } = wouldBe.value;
  const approved = await approve(context, {
    ...{ action: "assign_suspense", subject, operatorId: by.playerId },
    payload: { playerId: player.id, token, amount },
    money: { token, amount },
  });
  if (!approved.ok) return approved;
  return change(context, async (tx) => {
    const checked = checkAssignable(await lockSuspense(tx, depositId), player.id);
    if (!checked.ok) return checked;
    const known = await requireKnownBalances(tx);
    if (!known.ok) return known;
    await creditFromSuspense(context, tx, { rows: [checked.value], playerId: player.id });
    await recordAct(tx, {
      ...{ actor: actorName(by), action: "assign_suspense", subject },
      detail: { reason, token, amount: amount.toString(), playerId: player.id },
    });
    const row = await readSuspense(tx, depositId);
    if (row === null) throw new Error(`deposit ${depositId} is gone`);
    return accept(itemView(await knownTokens(context.pool), row));
  });
}

function checkAssignable(row: SuspenseRow | null, playerId: string): Result<SuspenseRow> {
  if (row === null) return reject("not_found");
  if (row.suspense_state !== "open") return reject("suspense_not_open");
  const sender = row.sender_player_id;
  if (sender !== null && sender !== playerId)
    return reject("not_allowed", { message: "Another player has proven that the sender is theirs." });
  // Restored books don't know yet who was credited: whoever does, says so again.
  if (row.landed_frozen && !row.in_recovery)
    return reject("suspense_in_doubt", {
      message: "The wallet that it came to is frozen: it may not be there any more. Thaw that first.",
    });
  if (row.is_breached && !row.in_recovery)
    return reject("suspense_in_doubt", {
      message: "The books don't agree with the chain: it may not be there any more. Lift that first.",
    });
  if (row.is_final) return accept(row);
  return reject("not_final_yet", {
    message: "This deposit isn't final on the chain yet. Credit it when it is.",
  });
}

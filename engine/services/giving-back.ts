/** The way out for a withdrawal that will never be accepted where it was to go: back into its player's pool. */
import { accept, type Result, reject } from "../contract/problems.ts";
import { reversalOf } from "../core/ledger.ts";
import { lockReturnable, type ReturnableRow, readReturnable } from "../db/giving-back.ts";
import type { Tx } from "../db/pool.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { type Instruction, viewInstruction } from "./instruction-list.ts";
import { post } from "./ledger.ts";
import { approve } from "./operators.ts";
import { change } from "./transaction.ts";
import { withdrawalTransfer } from "./withdrawals.ts";

export interface GiveBack {
  /** The operator. */
  by: { playerId: string; handle: string };
  instructionId: string;
  reason: string;
}

/**
 * Puts a parked withdrawal back into its player's pool, once, and only when none of its transactions can be mined any more.
 * Above the token's approval limit two operators must ask for it.
 * @returns `not_found`, `not_parked` (any more), `not_returnable`, `second_approval_needed`
 */
export async function giveBack(context: Context, request: GiveBack): Promise<Result<Instruction>> {
  const { by, instructionId, reason } = request;
  const subject = `instruction:${instructionId}`;
  // Tried first, so that nobody's word is taken for an act that can't be.
  const wouldBe = checkReturnable(await readReturnable(context.pool, instructionId));
  if (!wouldBe.ok) return wouldBe;
  const { id, token, amount } = wouldBe.value;
  const approved = await approve(context, {
    ...{ action: "give_back", subject, operatorId: by.playerId },
    payload: { withdrawalId: id, token, amount },
    money: { token, amount },
  });
  if (!approved.ok) return approved;
  return change(context, async (tx) => {
    const checked = checkReturnable(await lockReturnable(tx, instructionId));
    if (!checked.ok) return checked;
    await returnToPool(tx, instructionId, checked.value);
    await recordAct(tx, {
      ...{ actor: actorName(by), action: "give_back", subject },
      detail: { reason, token, amount: amount.toString(), playerId: checked.value.player_id },
    });
    await tellInstructions(context, tx, [instructionId]);
    return accept(await viewInstruction(context, tx, instructionId));
  });
}

type Returnable = NonNullable<ReturnableRow["withdrawal"]>;

/** What is unclear means no: given back and paid after all would be money twice. */
function checkReturnable(row: ReturnableRow | null): Result<Returnable> {
  if (row === null) return reject("not_found");
  const { withdrawal } = row;
  if (withdrawal === null)
    return refuse("Only a withdrawal can be given back; this has no player's pool to go to.");
  if (row.state !== "parked")
    return reject("not_parked", { message: "Only a parked withdrawal can be given back." });
  if (row.may_be_mined)
    return refuse("A transaction of it may still be mined: wait until the chain has decided.");
  // Books that are older than the world may have forgotten that it was paid.
  if (row.in_recovery) return refuse("A recovery stands: it may have been paid already. End that first.");
  if (row.source_frozen)
    return refuse(
      "The wallet that owes it is frozen: it may have been paid by what froze it. Thaw that first.",
    );
  return accept(withdrawal);
}

const refuse = (message: string) => reject("not_returnable", { message });

async function returnToPool(tx: Tx, instructionId: string, withdrawal: Returnable): Promise<void> {
  const transfer = withdrawalTransfer({ ...withdrawal, playerId: withdrawal.player_id });
  const back = reversalOf(transfer, "withdrawal_returned");
  const posted = await post(tx, [back], { cause: transfer.key, parkedId: instructionId });
  if (!posted.ok)
    throw new Error(`withdrawal ${withdrawal.id} can't be given back: ${posted.rejection.code}`);
}

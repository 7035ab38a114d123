/**
 * The way out for a transfer that will never be accepted where it was to go: a withdrawal or a game's payout goes into its
 * player's pool, a refund back into suspense.
 */
import { accept, type Result, reject } from "../contract/problems.ts";
import { type AccountRef, type PlannedTransfer, reversalOf } from "../core/ledger.ts";
import { parkInstruction } from "../db/due.ts";
import { lockReturnable, type OwedRow, type ReturnableRow, readReturnable } from "../db/giving-back.ts";
import type { Tx } from "../db/pool.ts";
import { markReopened } from "../db/suspense.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { tellDeposits } from "./deposit-events.ts";
import { viewGames } from "./game-view.ts";
import { tellInstructions } from "./instruction-events.ts";
import { type Instruction, viewInstruction } from "./instruction-list.ts";
import { type PostOptions, post } from "./ledger.ts";
import { approve } from "./operators.ts";
import { tell } from "./outbox.ts";
import { tellBalances } from "./pools.ts";
import { depositOfRefund } from "./suspense.ts";
import { change } from "./transaction.ts";
import { gameTelling } from "./wager-tellings.ts";

export interface GiveBack {
  /** The operator. */
  by: { playerId: string; handle: string };
  instructionId: string;
  reason: string;
}

/**
 * Gives a parked withdrawal, payout or refund back, once, and only when none of its transactions can be mined any more.
 * Above the token's approval limit two operators must ask for it.
 * @returns `not_found`, `not_parked` (any more), `not_returnable`, `second_approval_needed`
 */
export async function giveBack(context: Context, request: GiveBack): Promise<Result<Instruction>> {
  const { by, instructionId, reason } = request;
  const subject = `instruction:${instructionId}`;
  // Tried first, so that nobody's word is taken for an act that can't be.
  const wouldBe = checkReturnable(await readReturnable(context.pool, instructionId), context.clock());
  if (!wouldBe.ok) return wouldBe;
  const { token, amount, key } = wouldBe.value.transfer;
  const approved = await approve(context, {
    ...{ action: "give_back", subject, operatorId: by.playerId },
    payload: { key, token, amount },
    money: { token, amount },
  });
  if (!approved.ok) return approved;
  return change(context, async (tx) => {
    const given = await giveBackWithin(context, tx, instructionId);
    if (!given.ok) return given;
    await recordAct(tx, {
      ...{ actor: actorName(by), action: "give_back", subject },
      detail: { reason, token, amount: amount.toString(), playerId: given.value.playerId },
    });
    return accept(await viewInstruction(context, tx, instructionId));
  });
}

/** The giving back itself, whoever may ask for it. */
export async function giveBackWithin(
  context: Context,
  tx: Tx,
  instructionId: string,
): Promise<Result<Returnable>> {
  const checked = checkReturnable(await lockReturnable(tx, instructionId), context.clock());
  if (!checked.ok) return checked;
  await takeBack(tx, instructionId, checked.value);
  await tellOwner(context, tx, checked.value);
  await tellInstructions(context, tx, [instructionId]);
  return checked;
}

/** What the chain says was done before the books were restored: nothing speaks against it any more. */
export async function takePayoutIntoPool(tx: Tx, instructionId: string): Promise<void> {
  await parkInstruction(tx, { instructionId, note: "taken into the pool" });
  const row = await lockReturnable(tx, instructionId);
  const returnable = row === null ? null : returnableOf(row);
  if (returnable === null) throw new Error(`instruction ${instructionId} pays nobody`);
  await takeBack(tx, instructionId, returnable);
}

export interface Returnable {
  /** The ledger's transfer to the outside that never happened on the chain. */
  transfer: PlannedTransfer;
  gameId: string | null;
  playerId: string | null;
}

/** What is unclear means no: given back and paid after all would be money twice. */
function checkReturnable(row: ReturnableRow | null, nowMs: number): Result<Returnable> {
  if (row === null) return reject("not_found");
  const returnable = returnableOf(row);
  if (returnable === null)
    return refuse("Only a withdrawal, a payout or a refund can be given back: anything else is nobody's.");
  if (row.state !== "parked")
    return reject("not_parked", { message: "Only a parked transfer can be given back." });
  if (row.not_before.getTime() > nowMs)
    return refuse("It isn't due yet: what it follows from may still be taken back.");
  if (row.may_be_mined)
    return refuse("A transaction of it may still be mined: wait until the chain has decided.");
  // Books that are older than the world may have forgotten that it was paid.
  if (row.in_recovery) return refuse("A recovery stands: it may have been paid already. End that first.");
  if (!row.is_led)
    return refuse("Nobody reads the chain now, so it isn't known what was paid. Try again later.");
  if (row.is_breached)
    return refuse(
      "The books don't agree with the chain: it may have been paid already. An operator looks at it.",
    );
  if (row.source_frozen)
    return refuse(
      "The wallet that owes it is frozen: it may have been paid by what froze it. Thaw that first.",
    );
  return accept(returnable);
}

/** Null where it isn't owed to a person, or not for one thing. */
function returnableOf(row: ReturnableRow): Returnable | null {
  const [owed, another] = row.owed;
  if (owed === undefined || another !== undefined) return null;
  const transfer: PlannedTransfer = {
    ...{ from: sourceOf(owed), to: { kind: "outside", address: row.destination } },
    ...{ token: owed.token, amount: owed.amount, reason: owed.reason, key: owed.business_key },
  };
  return { transfer, gameId: owed.game_id, playerId: row.player_id };
}

const refuse = (message: string) => reject("not_returnable", { message });

function sourceOf({
  reason,
  player_id: playerId,
  game_id: gameId,
  wallet_id: walletId,
}: OwedRow): AccountRef {
  if (reason === "withdrawal" && playerId !== null) return { kind: "player.available", playerId };
  if (reason === "payout" && gameId !== null) return { kind: "escrow.stakes", gameId };
  if (reason === "suspense_refunded" && walletId !== null) return { kind: "suspense", walletId };
  throw new Error(`a ${reason} has no account that it came out of`);
}

async function takeBack(tx: Tx, parkedId: string, returnable: Returnable): Promise<void> {
  const { transfer } = returnable;
  const options = { cause: transfer.key, parkedId };
  switch (transfer.reason) {
    case "withdrawal":
      return book(tx, [reversalOf(transfer, "withdrawal_returned")], options);
    case "payout":
      return takeIntoPool(tx, returnable, options);
    case "suspense_refunded":
      await book(tx, [reversalOf(transfer, "refund_returned")], options);
      return markReopened(tx, depositOfRefund(transfer.key));
    default:
      throw new Error(`a ${transfer.reason} isn't given back`);
  }
}

/** Won all the same: out of the escrow, into the pool. The coins move from the one wallet to the other. */
async function takeIntoPool(
  tx: Tx,
  { transfer, gameId, playerId }: Returnable,
  options: PostOptions,
): Promise<void> {
  if (gameId === null || playerId === null) throw new Error(`${transfer.key} is nobody's win`);
  const win: PlannedTransfer = {
    ...transfer,
    ...{ to: { kind: "player.available", playerId }, reason: "win", key: `${transfer.key}:pool` },
  };
  const transfers = [reversalOf(transfer, "payout_returned"), win];
  await book(tx, transfers, { ...options, cause: win.key, gameId });
}

async function book(tx: Tx, transfers: PlannedTransfer[], options: PostOptions): Promise<void> {
  const posted = await post(tx, transfers, options);
  if (!posted.ok) throw new Error(`${options.cause} can't be given back: ${posted.rejection.code}`);
}

async function tellOwner(
  context: Context,
  tx: Tx,
  { transfer, gameId, playerId }: Returnable,
): Promise<void> {
  if (transfer.reason === "suspense_refunded")
    return tellDeposits(context, tx, [depositOfRefund(transfer.key)]);
  if (gameId === null || playerId === null) return;
  const [game] = await viewGames(context, tx, [gameId]);
  if (game !== undefined) await tell(tx, [gameTelling(game)]);
  await tellBalances(tx, [playerId], transfer.token);
}

/** What couldn't be sent to a player's wallet is that player's to take into the pool, without asking anybody. */
import type { Withdrawal } from "../contract/account.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import type { Game } from "../contract/wager.ts";
import { findPayout, findWithdrawal } from "../db/giving-back.ts";
import type { Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { viewGames } from "./game-view.ts";
import { giveBackWithin } from "./giving-back.ts";
import { changeOnce, type Idempotency } from "./transaction.ts";
import { viewWithdrawals } from "./withdrawals.ts";

interface Claim {
  by: string;
  idempotency: Idempotency;
}

/**
 * Puts the player's own parked withdrawal back into the pool.
 * @returns `not_found`, `not_parked` (any more), `not_returnable`
 */
export function claimWithdrawal(
  context: Context,
  { by, idempotency, withdrawalId }: Claim & { withdrawalId: string },
): Promise<Result<Withdrawal>> {
  return changeOnce(context, idempotency, async (tx) => {
    const given = await claim(context, tx, await findWithdrawal(tx, { id: withdrawalId, playerId: by }));
    if (!given.ok) return given;
    const [claimed] = await viewWithdrawals(context, tx, { instructionIds: [given.value] });
    if (claimed === undefined) throw new Error(`withdrawal ${withdrawalId} is gone`);
    return accept(claimed.withdrawal);
  });
}

/**
 * Takes the player's own parked payout of a game into the pool.
 * @returns `not_found`, `not_parked` (any more), `not_returnable`
 */
export function claimPayout(
  context: Context,
  { by, idempotency, gameId }: Claim & { gameId: string },
): Promise<Result<Game>> {
  return changeOnce(context, idempotency, async (tx) => {
    const given = await claim(context, tx, await findPayout(tx, { gameId, playerId: by }));
    if (!given.ok) return given;
    const [game] = await viewGames(context, tx, [gameId]);
    if (game === undefined) throw new Error(`game ${gameId} is gone`);
    return accept(game);
  });
}

async function claim(context: Context, tx: Tx, instructionId: string | null): Promise<Result<string>> {
  if (instructionId === null) return reject("not_found");
  const given = await giveBackWithin(context, tx, instructionId);
  return given.ok ? accept(instructionId) : given;
}

/** Games: what the two players, the referee and the operator do to them, and what anybody may read of them. */

import type { Outcome } from "../contract/primitives.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import type { Game } from "../contract/wager.ts";
import { decideGame, type GameCommand } from "../core/game.ts";
import { readGames } from "../db/games.ts";
import { readPlayer, readPlayerWallets } from "../db/players.ts";
import type { Tx } from "../db/pool.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { commandGame } from "./game-writing.ts";
import { approve } from "./operators.ts";
import { requireKnownBalances } from "./reading-again.ts";
import { change, changeOnce, type Idempotency } from "./transaction.ts";

export {
  listDisputes,
  listGames,
  readGame,
  readGamePool,
  readGameWallet,
  readPayouts,
} from "./game-reads.ts";
export { readReceipt } from "./receipts.ts";

/**
 * One of the two says how it ended.
 * @returns `not_found`, `not_allowed`, `game_not_open`, `already_reported`
 */
export const report = (
  context: Context,
  {
    by,
    idempotency,
    gameId,
    outcome,
  }: { by: string; idempotency: Idempotency; gameId: string; outcome: Outcome },
): Promise<Result<Game>> =>
  changeOnce(context, idempotency, (tx) =>
    commandGame(context, tx, { gameId, command: { type: "report", by, outcome } }),
  );

/**
 * Words or a link for the dispute, from one of the two.
 * @returns `not_found`, `not_allowed`, `evidence_closed`, `evidence_limit`, `evidence_invalid`
 */
export const addEvidence = (
  context: Context,
  {
    by,
    gameId,
    text,
    url = null,
  }: { by: string; gameId: string; text: string; url?: string | null | undefined },
): Promise<Result<Game>> =>
  change(context, (tx) => commandGame(context, tx, { gameId, command: { type: "evidence", by, text }, url }));

interface Verdict {
  by: string;
  gameId: string;
  outcome: Outcome;
  /** In writing, for both to read. */
  reason: string;
}

/**
 * The referee whom the terms name ends a dispute.
 * @returns `not_found`, `not_allowed`, `money_in_it`, `game_not_disputed`, `reason_missing`
 */
export const decide = (
  context: Context,
  { by, idempotency, gameId, outcome, reason }: Verdict & { idempotency: Idempotency },
): Promise<Result<Game>> =>
  changeOnce(context, idempotency, async (tx) => {
    const command = { type: "decide", by, role: "referee", outcome, reason, byHasMoneyInIt: false } as const;
    const decided = await commandGame(context, tx, { gameId, command });
    if (decided.ok) await recordDecision(tx, "decide", { by, gameId, outcome, reason });
    return decided;
  });

/**
 * An operator ends a dispute that has no referee. A pot above the token's approval limit takes two operators who say
 * exactly the same.
 * @returns as `decide`, and `second_approval_needed`
 */
export const decideAsOperator = (context: Context, verdict: Verdict): Promise<Result<Game>> => {
  const { by, outcome, reason } = verdict;
  // In a duel only the two who play have money; whoever plays is found by the core.
  const command = { type: "decide", by, role: "operator", outcome, reason, byHasMoneyInIt: false } as const;
  return actAsOperator(context, { action: "decide_dispute", command, verdict });
};

/**
 * An operator takes a settlement back within its undo window; the game is in dispute again.
 * @returns `not_found`, `not_allowed`, `money_in_it`, `undo_window_closed`, `insufficient_funds` when the winner has used
 * the money since, `reason_missing`, `second_approval_needed`, `switched_off` while balances aren't known
 * (`requireKnownBalances`)
 */
export const undo = (
  context: Context,
  { by, gameId, reason }: { by: string; gameId: string; reason: string },
): Promise<Result<Game>> =>
  actAsOperator(context, {
    action: "undo_settlement",
    command: { type: "undo", by, reason, byHasMoneyInIt: false },
    verdict: { by, gameId, reason },
  });

interface OperatorAct {
  action: "decide_dispute" | "undo_settlement";
  command: GameCommand;
  verdict: { by: string; gameId: string; reason: string; outcome?: Outcome };
}

async function actAsOperator(
  context: Context,
  { action, command, verdict }: OperatorAct,
): Promise<Result<Game>> {
  const { by, gameId } = verdict;
  if (!(await isOperator(context, by))) return reject("not_allowed");
  const [record] = await readGames(context.pool, [gameId]);
  if (record === undefined) return reject("not_found");
  // Tried first, so that nobody's word is taken for an act that can't be.
  const wouldBe = decideGame(record.state, command, context.clock());
  if (!wouldBe.ok) return wouldBe;
  const { red, blue, token, settlementNumber } = record.state;
  const approved = await approve(context, {
    action,
    subject: `game:${gameId}:${settlementNumber}`,
    payload: { outcome: verdict.outcome ?? null },
    operatorId: by,
    money: { token, amount: red.stake + blue.stake },
  });
  if (!approved.ok) return approved;
  return change(context, async (tx) => {
    // A decision pays out of the game's own wallet; what is taken back, its winner may have withdrawn.
    const known = action === "undo_settlement" ? await requireKnownBalances(tx) : accept(null);
    if (!known.ok) return known;
    const acted = await commandGame(context, tx, { gameId, command });
    if (acted.ok) await recordDecision(tx, action, verdict);
    return acted;
  });
}

async function isOperator({ pool, settings }: Context, playerId: string): Promise<boolean> {
  const wallets = await readPlayerWallets(pool, playerId);
  return wallets.some(({ address }) => settings.operatorAddresses.has(address));
}

async function recordDecision(
  tx: Tx,
  action: string,
  { by, gameId, ...detail }: { by: string; gameId: string; reason: string; outcome?: Outcome },
): Promise<void> {
  const handle = (await readPlayer(tx, by))?.handle ?? "?";
  await recordAct(tx, {
    actor: actorName({ playerId: by, handle }),
    action,
    subject: `game:${gameId}`,
    detail,
  });
}

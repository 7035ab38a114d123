/** What a decision about a game leaves in the database: its row, its settlement, its transfers, its events. */
import { type Result, reject } from "../contract/problems.ts";
import type { Game } from "../contract/wager.ts";
import { decideGame, type GameChange, type GameCommand, type GameEvent } from "../core/game.ts";
import type { Settlement } from "../core/settlement.ts";
import { deleteExposure } from "../db/deposits.ts";
import { insertEvidence } from "../db/evidence.ts";
import { type GameRecord, lockGame, readGames, updateGame } from "../db/games.ts";
import type { Tx } from "../db/pool.ts";
import { exposeWinnings, insertSettlement, markSettlementUndone } from "../db/settlements.ts";
import type { Context } from "./context.ts";
import { viewGames } from "./game-view.ts";
import { type PostOptions, post } from "./ledger.ts";
import { tell } from "./outbox.ts";
import { balanceTellings } from "./pools.ts";
import { gameTelling } from "./wager-tellings.ts";

/** Locks a game, gives it a command and writes what follows. `url` belongs to a command `evidence`. */
export async function commandGame(
  context: Context,
  tx: Tx,
  { gameId, command, url = null }: { gameId: string; command: GameCommand; url?: string | null },
): Promise<Result<Game>> {
  if (!(await lockGame(tx, gameId))) return reject("not_found");
  const [record] = await readGames(tx, [gameId]);
  if (record === undefined) throw new Error(`game ${gameId} is gone`);
  // After the lock: whoever waited for it is late by as much.
  const nowMs = context.clock();
  const decision = decideGame(record.state, command, nowMs);
  if (!decision.ok) return decision;

  const now = new Date(nowMs);
  await updateGame(tx, { state: decision.state, now });
  for (const event of decision.events) await writeEvent(tx, { event, record, decision, now, url });
  const posted = await post(tx, decision.transfers, postOptions(record, decision, nowMs));
  if (!posted.ok) {
    if (command.type !== "undo") throw new Error(`game ${gameId} doesn't hold what it pays out`);
    return reject(posted.rejection.code, {
      ...posted.rejection,
      message: "What was paid out has been used or sent since: it can't be taken back.",
    });
  }
  const [game] = await viewGames(context, tx, [gameId]);
  if (game === undefined) throw new Error(`game ${gameId} is gone`);
  const { red, blue, token } = record.state;
  const hasMoved = decision.transfers.length > 0;
  await tell(tx, [
    gameTelling(game),
    ...(hasMoved ? balanceTellings([red.playerId, blue.playerId], token) : []),
  ]);
  return { ok: true, value: game };
}

const causeOf = ({ id, settlementNumber }: GameChange["state"]): string =>
  `game:${id}:settlement:${settlementNumber}`;

/**
 * Nothing leaves before the undo window is over. A payout to a wallet waits for the blocks that the stakes rest on as
 * well; a move into the vault needn't, because withdrawals do.
 */
function postOptions(record: GameRecord, { state, transfers }: GameChange, nowMs: number): PostOptions {
  const payout = transfers.find(({ reason }) => reason === "payout");
  const { red, blue } = record.state;
  const winner = state.settlement?.inputs.outcome === "red" ? red : blue;
  return {
    cause: causeOf(state),
    gameId: state.id,
    ...(state.undoUntilMs !== null && state.undoUntilMs > nowMs
      ? { notBefore: new Date(state.undoUntilMs) }
      : {}),
    ...(payout === undefined ? {} : { playerId: winner.playerId, notBeforeBlock: record.coveredAtBlock }),
  };
}

interface Writing {
  event: GameEvent;
  record: GameRecord;
  decision: GameChange;
  now: Date;
  url: string | null;
}

async function writeEvent(tx: Tx, { event, record, decision, now, url }: Writing): Promise<void> {
  const { state } = record;
  switch (event.type) {
    case "evidence_added":
      return insertEvidence(tx, {
        gameId: state.id,
        playerId: state[event.side].playerId,
        text: event.text,
        url,
        at: now,
      });
    case "settled":
    case "refunded":
      return writeSettlement(tx, { settlement: event.settlement, record, decision, now });
    case "settlement_undone":
      await deleteExposure(tx, causeOf(decision.state));
      return markSettlementUndone(tx, { gameId: state.id, by: event.by, reason: event.reason, at: now });
    // In the game's row, or in its settlement.
    case "reported":
    case "disputed":
    case "decided":
      return;
  }
}

async function writeSettlement(
  tx: Tx,
  {
    settlement,
    record,
    decision,
    now,
  }: { settlement: Settlement; record: GameRecord; decision: GameChange; now: Date },
): Promise<void> {
  const { state } = record;
  const decided = decision.events.find((event) => event.type === "decided");
  await insertSettlement(tx, {
    gameId: state.id,
    token: state.token,
    players: { red: state.red.playerId, blue: state.blue.playerId },
    settlement,
    decider: decided === undefined ? null : { playerId: decided.by, reason: decided.reason },
    at: now,
  });
  const { outcome, stakes } = settlement.inputs;
  if (outcome === "draw" || outcome === "no_contest") return;
  if (settlement.paidTo[outcome].kind === "outside") return;
  const won = settlement.outputs.payouts[outcome] - stakes[outcome];
  if (won === 0n || record.coveredAtBlock === 0n) return;
  // The winner's own deposits count against the winner already; this is what came from the other side.
  await exposeWinnings(tx, {
    playerId: state[outcome].playerId,
    token: state.token,
    amount: won,
    untilBlock: record.coveredAtBlock,
    key: causeOf(decision.state),
  });
}

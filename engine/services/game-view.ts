/** Games as everybody sees them: three statements, however many. */
import type { z } from "zod";
import type { payoutState } from "../contract/account.ts";
import type { Game, Payout } from "../contract/wager.ts";
import { deadlineOf, type GameStatus } from "../core/game.ts";
import { type Side, settleDuel } from "../core/settlement.ts";
import { type EvidenceRow, readEvidence } from "../db/evidence.ts";
import { type GameRecord, readGames } from "../db/games.ts";
import type { Queryable } from "../db/pool.ts";
import { type PayoutRow, readPayouts } from "../db/settlements.ts";
import type { Token } from "../db/tokens.ts";
import type { Context } from "./context.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

/** Some games by id, in the order asked for; those that don't exist are left out. */
export async function viewGames(context: Context, db: Queryable, ids: string[]): Promise<Game[]> {
  const records = new Map((await readGames(db, ids)).map((record) => [record.state.id, record]));
  return viewRecords(
    context,
    db,
    ids.flatMap((id) => records.get(id) ?? []),
  );
}

/** Games that were read already, with their payouts and evidence. */
export async function viewRecords(context: Context, db: Queryable, records: GameRecord[]): Promise<Game[]> {
  if (records.length === 0) return [];
  const tokens = await knownTokens(context.pool);
  const ids = records.map(({ state }) => state.id);
  const payouts = await readPayouts(db, ids);
  const evidence = await readEvidence(db, ids);
  const of = <Row extends { game_id: string }>(rows: Row[], { state }: GameRecord) =>
    rows.filter(({ game_id }) => game_id === state.id);
  return records.map((record) => gameView(tokens, record, of(payouts, record), of(evidence, record)));
}

function gameView(
  tokens: ReadonlyMap<string, Token>,
  record: GameRecord,
  payouts: PayoutRow[],
  evidence: EvidenceRow[],
): Game {
  const { state, handles } = record;
  const money = (amount: bigint) => moneyOf(tokens, state.token, amount);
  const stakes = { red: state.red.stake, blue: state.blue.stake };
  const side = (name: Side) => ({
    player: { id: state[name].playerId, handle: handles[name] },
    stake: money(stakes[name]),
    winGets: money(settleDuel({ stakes, outcome: name, rakeBps: state.rakeBps }).payouts[name]),
    report: state.reports[name],
    reportedAt: record.reportedAt[name]?.toISOString() ?? null,
  });
  const dueAtMs = deadlineOf(state);
  return {
    id: state.id,
    format: "duel",
    state: state.status,
    red: side("red"),
    blue: side("blue"),
    pot: money(stakes.red + stakes.blue),
    rakeBps: state.rakeBps,
    terms: record.terms,
    referee:
      state.refereeId === null || handles.referee === null
        ? null
        : { id: state.refereeId, handle: handles.referee },
    escrow: escrowView(record),
    startedAt: isoOf(state.startedAtMs),
    expectedEndAt: isoOf(state.expectedEndAtMs),
    deadline: dueAtMs === null ? null : { at: isoOf(dueAtMs), consequence: consequenceOf(state.status) },
    outcome: state.settlement?.inputs.outcome ?? null,
    decision: record.decision,
    settledAt: state.settledAtMs === null ? null : isoOf(state.settledAtMs),
    undoUntil: state.undoUntilMs === null ? null : isoOf(state.undoUntilMs),
    payouts: payouts.map((row) => payoutView(tokens, record, row)),
    evidence: evidence.map((row) => ({
      id: row.id,
      player: { id: row.player_id, handle: row.handle },
      text: row.text,
      url: row.url,
      createdAt: row.created_at.toISOString(),
    })),
    proposalId: record.proposalId,
  };
}

/** The pot's wallet, and how far its funding has come on the chain. */
export function escrowView({ escrow }: GameRecord): Game["escrow"] {
  return { address: escrow.address, funded: payoutStateOf(escrow.fundState), txHash: escrow.fundHash };
}

export function payoutView(
  tokens: ReadonlyMap<string, Token>,
  { state, handles }: GameRecord,
  row: PayoutRow,
): Payout {
  return {
    id: row.id,
    player: { id: state[row.side].playerId, handle: handles[row.side] },
    money: moneyOf(tokens, state.token, row.amount),
    to: row.address === null ? "pool" : "wallet",
    address: row.address,
    state: row.address === null ? "final" : payoutStateOf(row.state),
    txHash: row.hash,
  };
}

const payoutStates: Record<string, z.infer<typeof payoutState>> = {
  gathering: "waiting",
  queued: "waiting",
  sending: "sent",
  mined: "mined",
  final: "final",
  parked: "parked",
  cancelled: "cancelled",
};
/** How an instruction's state is told to players; none yet is waiting, too. */
export function payoutStateOf(instructionState: string | null): z.infer<typeof payoutState> {
  return payoutStates[instructionState ?? "queued"] ?? "waiting";
}

function consequenceOf(status: GameStatus): "refund" | "settle_as_reported" {
  return status === "reported" ? "settle_as_reported" : "refund";
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

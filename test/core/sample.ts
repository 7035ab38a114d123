import { decideGame, defaultGameClocks, type GameState, startGame } from "../../engine/core/game.ts";
import { decideProposal, type ProposalState } from "../../engine/core/proposal.ts";
import type { Outcome, Side } from "../../engine/core/settlement.ts";

export const token = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
export const nowMs = 1_800_000_000_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;

/** Ada (1) offers her 50.00 to 10.00: to Ben (2) by name, or to anyone. Rita (3) referees, or nobody. */
export const ada = "1";
export const ben = "2";
export const rita = "3";
export const stranger = "4";
export const operator = "5";

export function sampleProposal(change: Partial<ProposalState> = {}): ProposalState {
  return {
    id: "p",
    parentId: null,
    rootId: change.id ?? "p",
    proposerId: ada,
    takerId: ben,
    token,
    proposerStake: 50_000_000n,
    takerStake: 10_000_000n,
    terms: "First to 21",
    refereeId: null,
    expectedMinutes: 60,
    rakeBps: 500,
    expiresAtMs: nowMs + 10 * minuteMs,
    status: "pending",
    ...change,
  };
}

/** The duel that comes of `sampleProposal`, just started. */
export function sampleGame(change: Partial<GameState> = {}): GameState {
  const accepted = decideProposal(
    sampleProposal(),
    { type: "accept", by: ben, gameId: "g", root: null },
    nowMs,
  );
  if (!accepted.ok) throw new Error(accepted.rejection.code);
  const seat = { winningsTo: "pool", payoutAddress: null } as const;
  const game = startGame({
    gameId: "g",
    proposal: accepted.state,
    seats: { red: seat, blue: seat },
    clocks: defaultGameClocks,
    nowMs,
  });
  return { ...game, ...change };
}

/** The same duel after these reports, at `nowMs`. */
export function reportedGame(reports: [Side, Outcome][], change: Partial<GameState> = {}): GameState {
  return reports.reduce((state, [side, outcome]) => {
    const decision = decideGame(state, { type: "report", by: side === "red" ? ada : ben, outcome }, nowMs);
    if (!decision.ok) throw new Error(decision.rejection.code);
    return decision.state;
  }, sampleGame(change));
}

/** The same duel with two different reports, which is a dispute. */
export const disputedGame = (change: Partial<GameState> = {}): GameState =>
  reportedGame(
    [
      ["red", "red"],
      ["blue", "blue"],
    ],
    change,
  );

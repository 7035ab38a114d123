import { settle } from "./game-settling.ts";
import { deadlineOf, type GameCommandOf, type GameDecision, type GameState, sideOf } from "./game-state.ts";
import { refused } from "./rejection.ts";
import { otherSide } from "./settlement.ts";
import { cleanText } from "./text.ts";

export const evidenceLimits = { textChars: 2_000, perSide: 20 } as const;

/**
 * One side says how the game ended. Two equal reports settle it at once, with nothing to undo; two different ones open a
 * dispute. A report stands: the same side may speak again only to agree with the other, which concedes.
 */
export function report(
  state: GameState,
  { by, outcome }: GameCommandOf<"report">,
  nowMs: number,
): GameDecision {
  const side = sideOf(state, by);
  if (side === null) return refused("not_allowed", "Only the two who play report.");
  const dueAtMs = deadlineOf(state);
  if (dueAtMs === null) return refused("game_not_open", "This game is over.");
  if (nowMs >= dueAtMs) return refused("game_not_open", "The clock of this game has run out.");
  const others = state.reports[otherSide(side)];
  if (state.reports[side] !== null && outcome !== others) {
    return refused("already_reported", "Your report stands. You can still agree with the other one.");
  }
  const heard: GameState = { ...state, reports: { ...state.reports, [side]: outcome } };
  const event = { type: "reported", gameId: state.id, side, outcome } as const;
  if (outcome === others) {
    return settle(heard, { outcome, decidedBy: "agreement", undoWindowMs: 0, nowMs, before: [event] });
  }
  if (state.status === "disputed") return { ok: true, state: heard, events: [event], transfers: [] };
  if (others === null) {
    const reported: GameState = { ...heard, status: "reported", reportDueAtMs: reportDueAtMs(state, nowMs) };
    return { ok: true, state: reported, events: [event], transfers: [] };
  }
  const disputeDueAtMs = nowMs + state.disputeWindowMs;
  return {
    ok: true,
    state: { ...heard, status: "disputed", reportDueAtMs: null, disputeDueAtMs },
    events: [event, { type: "disputed", gameId: state.id, dueAtMs: disputeDueAtMs }],
    transfers: [],
  };
}

/**
 * The other side's clock starts at the report, but not before the game was expected to be over: else a game that is set
 * for tomorrow could be claimed tonight, while the other one sleeps.
 */
function reportDueAtMs({ expectedEndAtMs, reportWindowMs }: GameState, nowMs: number): number {
  return Math.max(nowMs, expectedEndAtMs) + reportWindowMs;
}

/** Words from one of the two players, between the first report and the decision. */
export function evidence(
  state: GameState,
  { by, text }: GameCommandOf<"evidence">,
  nowMs: number,
): GameDecision {
  const side = sideOf(state, by);
  if (side === null) return refused("not_allowed", "Only the two who play give evidence.");
  const dueAtMs = deadlineOf(state);
  if (dueAtMs === null || state.status === "playing" || nowMs >= dueAtMs) {
    return refused("evidence_closed", "Evidence is taken between a report and the decision.");
  }
  if (state.evidenceCounts[side] >= evidenceLimits.perSide) {
    return refused("evidence_limit", `Each side gives at most ${evidenceLimits.perSide} pieces of evidence.`);
  }
  const clean = cleanText({ text, maxChars: evidenceLimits.textChars, lines: true });
  if (!clean.ok) return refused("evidence_invalid", evidenceMessages[clean.problem], "text");
  const evidenceCounts = { ...state.evidenceCounts, [side]: state.evidenceCounts[side] + 1 };
  return {
    ok: true,
    state: { ...state, evidenceCounts },
    events: [{ type: "evidence_added", gameId: state.id, side, text: clean.text }],
    transfers: [],
  };
}

const evidenceMessages = {
  empty: "Say what happened.",
  too_long: `Evidence has at most ${evidenceLimits.textChars} characters.`,
  unreadable: "The text has characters in it that can't be seen. Type them again.",
} as const;

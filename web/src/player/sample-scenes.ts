/** A made-up offer in every state of the overlay, for trying it out. */
import type { Game, Proposal } from "../../../engine/contract/wager.ts";
import type { Scene } from "../overlay/scenes.ts";
import type { Token } from "../shell/use-me.ts";

export type SampleKind = Scene["kind"] | "idle";

export function sampleScene(kind: SampleKind, handle: string, token: Token): Scene | null {
  const money = (whole: bigint) => ({
    amount: (whole * 10n ** BigInt(token.decimals)).toString(),
    token: token.address,
    symbol: token.symbol,
    decimals: token.decimals,
  });
  const [red, blue] = [
    { id: "1", handle },
    { id: "2", handle: "marcus" },
  ];
  const id = "00000000-0000-4000-8000-000000000000";
  const moment = new Date(0).toISOString();
  const terms = "First to 21. Win by two.";
  const shared = { id, pot: money(60n), rakeBps: 500, terms, referee: null };
  const proposal: Proposal = {
    ...shared,
    parentId: null,
    rootId: id,
    state: "pending",
    proposer: red,
    taker: blue,
    proposerStake: money(50n),
    takerStake: money(10n),
    proposerWinGets: money(57n),
    takerWinGets: money(57n),
    expectedMinutes: 60,
    expiresAt: moment,
    createdAt: moment,
    gameId: null,
  };
  const seat = { winGets: money(57n), report: null, reportedAt: null };
  const game: Game = {
    ...shared,
    format: "duel",
    state: kind === "result" || kind === "paid" ? "settled" : "playing",
    red: { ...seat, player: red, stake: money(50n) },
    blue: { ...seat, player: blue, stake: money(10n) },
    escrow: { address: `0x${"0".repeat(40)}`, funded: "final", txHash: null },
    startedAt: moment,
    expectedEndAt: moment,
    deadline: null,
    outcome: "red",
    decision: null,
    settledAt: null,
    undoUntil: null,
    payouts: [
      { id: "1", player: red, money: money(57n), to: "pool", address: null, state: "final", txHash: null },
    ],
    evidence: [],
    proposalId: id,
  };
  switch (kind) {
    case "idle":
      return null;
    case "offer":
    case "countered":
      return { kind, proposal, untilMs: 0 };
    case "taken":
    case "locked":
      return { kind, game, untilMs: null };
    case "result":
    case "paid":
      return { kind, game, untilMs: 0 };
  }
}

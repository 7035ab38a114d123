/** Offers and games in the shapes of the contract, for the tests of what the client makes of them. */
import type { BatchedEvent, EventData, EventName } from "../../engine/contract/events.ts";
import type { Money } from "../../engine/contract/primitives.ts";
import type { Game, LiveRoom, Payout, Proposal } from "../../engine/contract/wager.ts";

const usdc = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
export const anna = { id: "1", handle: "anna" };
export const marcus = { id: "2", handle: "marcus" };
const moment = "2030-01-01T00:00:00.000Z";

/** Whole USDC. */
export const money = (whole: number): Money => ({
  amount: `${whole}000000`,
  token: usdc,
  symbol: "USDC",
  decimals: 6,
});

export const proposal = (change: Partial<Proposal> = {}): Proposal => ({
  id: "offer-1",
  parentId: null,
  rootId: "offer-1",
  state: "pending",
  proposer: marcus,
  taker: null,
  proposerStake: money(50),
  takerStake: money(10),
  pot: money(60),
  rakeBps: 500,
  proposerWinGets: money(57),
  takerWinGets: money(57),
  terms: "First to 21.",
  referee: null,
  expectedMinutes: 60,
  expiresAt: moment,
  createdAt: moment,
  gameId: null,
  ...change,
});

export const game = (change: Partial<Game> = {}): Game => ({
  id: "game-1",
  format: "duel",
  state: "playing",
  red: { player: marcus, stake: money(50), winGets: money(57), report: null, reportedAt: null },
  blue: { player: anna, stake: money(10), winGets: money(57), report: null, reportedAt: null },
  pot: money(60),
  rakeBps: 500,
  terms: "First to 21.",
  referee: null,
  escrow: { address: `0x${"1".repeat(40)}`, funded: "waiting", txHash: null },
  startedAt: moment,
  expectedEndAt: moment,
  deadline: { at: moment, consequence: "refund" },
  outcome: null,
  decision: null,
  settledAt: null,
  undoUntil: null,
  payouts: [],
  evidence: [],
  proposalId: "offer-1",
  ...change,
});

export const payout = (change: Partial<Payout> = {}): Payout => ({
  id: "1",
  player: marcus,
  money: money(57),
  to: "wallet",
  address: `0x${"2".repeat(40)}`,
  state: "waiting",
  txHash: null,
  ...change,
});

export const live = (change: Partial<LiveRoom> = {}): LiveRoom => ({
  room: "live:2",
  player: marcus,
  offer: null,
  game: null,
  sequence: 0,
  ...change,
});

export const event = <Name extends EventName>(
  name: Name,
  data: EventData[Name],
  sequence = 1,
): BatchedEvent => ({ name, sequence, at: moment, data }) as BatchedEvent;

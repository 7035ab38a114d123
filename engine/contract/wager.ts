/** Proposals and games as everybody sees them. */
import { z } from "zod";
import { payoutState } from "./account.ts";
import {
  address,
  addressOut,
  baseUnits,
  handle,
  hash32,
  moment,
  money,
  outcome,
  page,
  playerRef,
  positiveBaseUnits,
  publicId,
  rowId,
  side,
} from "./primitives.ts";

/** The words of a wager, kept verbatim: 1–280 characters. What may stand in them is decided in core. */
export const terms = z.string().min(1, "Say what you play for.").max(280, "At most 280 characters.");
/** How long an offer stands: one minute to seven days. */
export const lapseSeconds = z.int().min(60).max(604_800).default(600);

const opponent = z.union([z.strictObject({ handle }), z.strictObject({ address })]);

export const proposeBody = z.strictObject({
  /** null: open to anyone. */
  opponent: opponent.nullable(),
  token: address,
  /** What the sender of this request puts up. */
  proposerStake: positiveBaseUnits,
  /** What the other side puts up. */
  takerStake: positiveBaseUnits,
  terms,
  lapseSeconds,
  /** Minutes until the game should be over; the result is due two hours later. */
  expectedMinutes: z.int().min(1).max(10_080).default(60),
  /** Who decides a dispute; absent: an operator. */
  referee: handle.optional(),
});
/** The same from the other side: whoever counters becomes the proposer. */
export const counterBody = z.strictObject({
  proposerStake: positiveBaseUnits,
  takerStake: positiveBaseUnits,
  terms,
  lapseSeconds,
});

export const proposalState = z.enum(["pending", "accepted", "countered", "declined", "cancelled", "expired"]);
export const proposal = z
  .strictObject({
    id: publicId,
    /** The offer that this one counters. */
    parentId: publicId.nullable(),
    /** The first offer of the chain of counters. */
    rootId: publicId,
    state: proposalState,
    proposer: playerRef,
    taker: playerRef.nullable(),
    proposerStake: money,
    takerStake: money,
    pot: money,
    rakeBps: z.int(),
    /** What reaches the winner, own stake included. */
    proposerWinGets: money,
    takerWinGets: money,
    terms: z.string(),
    referee: playerRef.nullable(),
    expectedMinutes: z.int(),
    expiresAt: moment,
    createdAt: moment,
    gameId: publicId.nullable(),
  })
  .meta({ id: "Proposal" });
export type Proposal = z.infer<typeof proposal>;
export const proposals = page(proposal);
export const proposalBox = z.enum(["inbox", "sent", "public", "all"]);
export const accepted = z.strictObject({ proposal, gameId: publicId });

export const gameState = z.enum(["playing", "reported", "disputed", "settled", "refunded"]);
export const gameSide = z.strictObject({
  player: playerRef,
  stake: money,
  /** What this side gets when it wins. */
  winGets: money,
  report: outcome.nullable(),
  reportedAt: moment.nullable(),
});
export const escrow = z.strictObject({
  address: addressOut,
  /** `waiting` → `sent` → `mined` → `final`: the pot's move into this wallet on the chain. */
  funded: payoutState,
  txHash: hash32.nullable(),
});
export const evidence = z.strictObject({
  id: rowId,
  player: playerRef,
  text: z.string(),
  url: z.string().nullable(),
  createdAt: moment,
});
export const payout = z
  .strictObject({
    id: rowId,
    player: playerRef,
    money,
    to: z.enum(["pool", "wallet"]),
    address: addressOut.nullable(),
    /** Always `final` for a pool: that money is there at once. */
    state: payoutState,
    txHash: hash32.nullable(),
  })
  .meta({ id: "Payout" });
export type Payout = z.infer<typeof payout>;
export const game = z
  .strictObject({
    id: publicId,
    format: z.literal("duel"),
    state: gameState,
    red: gameSide,
    blue: gameSide,
    pot: money,
    rakeBps: z.int(),
    terms: z.string(),
    referee: playerRef.nullable(),
    escrow,
    startedAt: moment,
    expectedEndAt: moment,
    /** The clock that runs now and what happens when it runs out; null when the game is over. */
    deadline: z
      .strictObject({
        at: moment,
        consequence: z.enum(["refund", "settle_as_reported"]),
      })
      .nullable(),
    outcome: outcome.nullable(),
    /** Why it was decided so: the referee's or operator's words. */
    decision: z.strictObject({ by: z.string(), reason: z.string() }).nullable(),
    settledAt: moment.nullable(),
    undoUntil: moment.nullable(),
    payouts: z.array(payout),
    evidence: z.array(evidence),
    proposalId: publicId,
  })
  .meta({ id: "Game" });
export type Game = z.infer<typeof game>;

export const reportBody = z.strictObject({ outcome });
export const evidenceBody = z.strictObject({
  text: z.string().min(1).max(2_000),
  url: z
    .url({ protocol: /^https$/, error: "A link starts with https://." })
    .max(500)
    .optional(),
});
export const decideBody = z.strictObject({ outcome, reason: z.string().min(1).max(1_000) });

/** Public, recomputable: `outputs` follow from `inputs` by the rules of `ruleVersion`. */
export const receipt = z
  .strictObject({
    gameId: publicId,
    ruleVersion: z.int(),
    inputs: z.strictObject({
      red: z.strictObject({ playerId: rowId, stake: baseUnits }),
      blue: z.strictObject({ playerId: rowId, stake: baseUnits }),
      outcome,
      rakeBps: z.int(),
      token: addressOut,
    }),
    outputs: z.strictObject({ red: baseUnits, blue: baseUnits, rake: baseUnits, dust: baseUnits }),
    decidedBy: z.enum(["agreement", "clock", "nobody_reported", "dispute_clock", "referee", "operator"]),
    /** Who decided, when a person did. */
    decidedByPlayer: playerRef.nullable(),
    reason: z.string().nullable(),
    settledAt: moment,
    transfers: z.array(
      z.strictObject({
        id: rowId,
        reason: z.string(),
        amount: baseUnits,
        hash: z.string(),
        chainTxHash: hash32.nullable(),
      }),
    ),
  })
  .meta({ id: "Receipt" });
export type Receipt = z.infer<typeof receipt>;

export const gameWallet = z.strictObject({ escrow, pot: money, onChain: money.nullable() });
export const gamePool = z.strictObject({ red: money, blue: money, pot: money, odds: z.string() });

/** The public feed: open offers and games under way. */
export const listings = z.strictObject({
  offers: z.array(proposal),
  games: z.array(game),
  settled: z.array(game),
});

export const leaderboardRow = z.strictObject({
  player: playerRef,
  won: z.int(),
  played: z.int(),
  net: z.array(z.strictObject({ sign: z.enum(["up", "down", "even"]), money })),
});
export const leaderboard = z.strictObject({ minimumGames: z.int(), rows: z.array(leaderboardRow) });
export const playerPage = z.strictObject({
  player: playerRef,
  since: moment,
  record: leaderboardRow.nullable(),
  offers: z.array(proposal),
  games: z.array(game),
});

/** What a live page or overlay shows of a room: a game, or whatever a player is in now. */
export const liveRoom = z
  .strictObject({
    room: z.string(),
    player: playerRef.nullable(),
    offer: proposal.nullable(),
    game: game.nullable(),
    sequence: z.int(),
  })
  .meta({ id: "LiveRoom" });
export type LiveRoom = z.infer<typeof liveRoom>;
export { side };

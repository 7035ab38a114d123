/**
 * One map of every HTTP route: the server validates by it, `/docs` is generated from it, the web client takes its
 * types from it, and the authority test tries each entry as nobody, a stranger, the opponent and the operator.
 */
import { z } from "zod";
import * as account from "./account.ts";
import * as operations from "./operations.ts";
import { handle, page, pageQuery, publicId, rowId } from "./primitives.ts";
import * as wager from "./wager.ts";

export type Access = "public" | "player" | "operator";
export interface Route {
  method: "GET" | "POST" | "PATCH";
  path: string;
  access: Access;
  /** Writes money: takes an Idempotency-Key and asks for accepted terms. */
  money?: true;
  summary: string;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  response: z.ZodType;
}

const byId = z.strictObject({ id: publicId });
const byRow = z.strictObject({ id: rowId });
const nothing = z.strictObject({});
const done = z.strictObject({ ok: z.literal(true) });

export const routes = {
  // configuration and sign-in
  readConfig: {
    method: "GET",
    path: "/api/config",
    access: "public",
    summary: "Chain, tokens, cut and clocks",
    response: operations.clientConfig,
  },
  createChallenge: {
    method: "POST",
    path: "/api/auth/challenge",
    access: "public",
    summary: "Ask for a message to sign",
    body: account.challengeBody,
    response: account.challenge,
  },
  verifyChallenge: {
    method: "POST",
    path: "/api/auth/verify",
    access: "public",
    summary: "Answer the challenge and be signed in",
    body: account.verifyBody,
    response: account.me,
  },
  logout: {
    method: "POST",
    path: "/api/auth/logout",
    access: "player",
    summary: "End this session",
    body: nothing,
    response: done,
  },
  readMe: {
    method: "GET",
    path: "/api/me",
    access: "player",
    summary: "Who is signed in",
    response: account.me,
  },
  changeMe: {
    method: "PATCH",
    path: "/api/me",
    access: "player",
    summary: "Handle, where winnings go, terms",
    body: account.mePatch,
    response: account.me,
  },
  createLinkChallenge: {
    method: "POST",
    path: "/api/me/wallets/challenge",
    access: "player",
    summary: "Ask for a message that links another wallet when that wallet signs it",
    body: account.challengeBody,
    response: account.challenge,
  },
  linkWallet: {
    method: "POST",
    path: "/api/me/wallets",
    access: "player",
    summary: "Link another wallet by its own signature",
    body: account.verifyBody,
    response: account.me,
  },
  rotateOverlay: {
    method: "POST",
    path: "/api/me/overlay",
    access: "player",
    summary: "A new overlay link; the old one dies now",
    body: nothing,
    response: account.overlayLink,
  },

  // the player's pool
  readBalances: {
    method: "GET",
    path: "/api/tokens/wallet",
    access: "player",
    summary: "Free, locked and on its way, per token",
    response: account.poolBalances,
  },
  readHistory: {
    method: "GET",
    path: "/api/tokens/history",
    access: "player",
    summary: "Every movement of the player's pool",
    query: pageQuery,
    response: account.history,
  },
  listDeposits: {
    method: "GET",
    path: "/api/deposits",
    access: "player",
    summary: "Deposits, newest first",
    query: pageQuery,
    response: account.deposits,
  },
  readDepositAddress: {
    method: "GET",
    path: "/api/deposits/address",
    access: "player",
    summary: "The player's own deposit address",
    response: account.depositAddress,
  },
  listOwnSuspense: {
    method: "GET",
    path: "/api/deposits/suspense",
    access: "player",
    summary: "What the player sent and nobody could be credited for",
    response: account.ownSuspense,
  },
  findDeposit: {
    method: "POST",
    path: "/api/deposits/find",
    access: "player",
    summary: "Look for a deposit by its transaction",
    body: account.findDepositBody,
    response: account.foundDeposit,
  },
  withdraw: {
    method: "POST",
    path: "/api/withdrawals",
    access: "player",
    money: true,
    summary: "Send from the pool to a verified wallet",
    body: account.withdrawalBody,
    response: account.withdrawal,
  },
  claimWithdrawal: {
    method: "POST",
    path: "/api/withdrawals/:id/claim",
    access: "player",
    money: true,
    summary: "Take a parked one back into the pool",
    params: byId,
    body: nothing,
    response: account.withdrawal,
  },
  listWithdrawals: {
    method: "GET",
    path: "/api/withdrawals",
    access: "player",
    summary: "Withdrawals, newest first",
    query: pageQuery,
    response: account.withdrawals,
  },

  // proposals
  propose: {
    method: "POST",
    path: "/api/proposals",
    access: "player",
    money: true,
    summary: "My X to your Y",
    body: wager.proposeBody,
    response: wager.proposal,
  },
  listProposals: {
    method: "GET",
    path: "/api/proposals",
    access: "player",
    summary: "Inbox, sent or public offers",
    query: pageQuery.extend({ box: wager.proposalBox.default("all") }),
    response: wager.proposals,
  },
  readProposal: {
    method: "GET",
    path: "/api/proposals/:id",
    access: "public",
    summary: "One offer",
    params: byId,
    response: wager.proposal,
  },
  readProposalChain: {
    method: "GET",
    path: "/api/proposals/:id/chain",
    access: "public",
    summary: "The whole chain of counters, oldest first",
    params: byId,
    response: z.strictObject({ items: z.array(wager.proposal) }),
  },
  acceptProposal: {
    method: "POST",
    path: "/api/proposals/:id/accept",
    access: "player",
    money: true,
    summary: "Take it",
    params: byId,
    body: nothing,
    response: wager.accepted,
  },
  counterProposal: {
    method: "POST",
    path: "/api/proposals/:id/counter",
    access: "player",
    money: true,
    summary: "Counter with other terms",
    params: byId,
    body: wager.counterBody,
    response: wager.proposal,
  },
  declineProposal: {
    method: "POST",
    path: "/api/proposals/:id/decline",
    access: "player",
    money: true,
    summary: "Pass",
    params: byId,
    body: nothing,
    response: wager.proposal,
  },
  cancelProposal: {
    method: "POST",
    path: "/api/proposals/:id/cancel",
    access: "player",
    money: true,
    summary: "Take an offer back",
    params: byId,
    body: nothing,
    response: wager.proposal,
  },

  // games
  listGames: {
    method: "GET",
    path: "/api/games",
    access: "player",
    summary: "The player's own games",
    query: pageQuery,
    response: page(wager.game),
  },
  readGame: {
    method: "GET",
    path: "/api/game/:id",
    access: "public",
    summary: "One game",
    params: byId,
    response: wager.game,
  },
  readGameWallet: {
    method: "GET",
    path: "/api/game/:id/wallet",
    access: "public",
    summary: "Its escrow wallet",
    params: byId,
    response: wager.gameWallet,
  },
  readGamePool: {
    method: "GET",
    path: "/api/game/:id/pool",
    access: "public",
    summary: "What each side has in",
    params: byId,
    response: wager.gamePool,
  },
  readPayouts: {
    method: "GET",
    path: "/api/game/:id/payouts",
    access: "public",
    summary: "Who was paid what",
    params: byId,
    response: z.strictObject({ items: z.array(wager.payout) }),
  },
  readReceipt: {
    method: "GET",
    path: "/api/game/:id/receipt",
    access: "public",
    summary: "The recomputable record of the settlement",
    params: byId,
    response: wager.receipt,
  },
  reportResult: {
    method: "POST",
    path: "/api/game/:id/report",
    access: "player",
    money: true,
    summary: "Say how it ended",
    params: byId,
    body: wager.reportBody,
    response: wager.game,
  },
  claimPayout: {
    method: "POST",
    path: "/api/game/:id/claim",
    access: "player",
    money: true,
    summary: "Take a parked payout into the pool",
    params: byId,
    body: nothing,
    response: wager.game,
  },
  addEvidence: {
    method: "POST",
    path: "/api/game/:id/evidence",
    access: "player",
    summary: "Words or a link for the dispute",
    params: byId,
    body: wager.evidenceBody,
    response: wager.game,
  },
  decideGame: {
    method: "POST",
    path: "/api/game/:id/decide",
    access: "player",
    money: true,
    summary: "The referee's decision",
    params: byId,
    body: wager.decideBody,
    response: wager.game,
  },

  // public
  readListings: {
    method: "GET",
    path: "/api/arena/listings",
    access: "public",
    summary: "Open offers and games under way",
    response: wager.listings,
  },
  readLeaderboard: {
    method: "GET",
    path: "/api/leaderboard",
    access: "public",
    summary: "Who is up",
    response: wager.leaderboard,
  },
  readPlayer: {
    method: "GET",
    path: "/api/players/:handle",
    access: "public",
    summary: "A player's page",
    params: z.strictObject({ handle }),
    response: wager.playerPage,
  },
  readLive: {
    method: "GET",
    path: "/api/live/:room",
    access: "public",
    summary: "What a live page shows: a game's id or a player's handle",
    params: z.strictObject({ room: z.string().min(3).max(40) }),
    response: wager.liveRoom,
  },
  readSolvency: {
    method: "GET",
    path: "/api/solvency",
    access: "public",
    summary: "What we owe and what we hold",
    response: operations.solvency,
  },

  // operator
  readOverview: {
    method: "GET",
    path: "/api/operator/overview",
    access: "operator",
    summary: "The line of health",
    response: operations.overview,
  },
  listDisputes: {
    method: "GET",
    path: "/api/operator/disputes",
    access: "operator",
    summary: "Open disputes, oldest first",
    response: operations.disputes,
  },
  decideDispute: {
    method: "POST",
    path: "/api/operator/disputes/:id/decide",
    access: "operator",
    summary: "Decide a dispute",
    params: byId,
    body: wager.decideBody,
    response: wager.game,
  },
  undoSettlement: {
    method: "POST",
    path: "/api/operator/games/:id/undo",
    access: "operator",
    summary: "Take a settlement back within its undo window",
    params: byId,
    body: operations.reasonBody,
    response: wager.game,
  },
  listSuspense: {
    method: "GET",
    path: "/api/operator/suspense",
    access: "operator",
    summary: "Money nobody could be credited for",
    response: operations.suspenseItems,
  },
  refundSuspense: {
    method: "POST",
    path: "/api/operator/suspense/:id/refund",
    access: "operator",
    summary: "Send it back to its sender",
    params: byRow,
    body: operations.refundBody,
    response: operations.suspenseItem,
  },
  assignSuspense: {
    method: "POST",
    path: "/api/operator/suspense/:id/assign",
    access: "operator",
    summary: "Credit it to a player",
    params: byRow,
    body: operations.assignBody,
    response: operations.suspenseItem,
  },
  listInstructions: {
    method: "GET",
    path: "/api/operator/instructions",
    access: "operator",
    summary: "Chain transfers that we owe",
    query: pageQuery.extend({ state: z.string().max(20).optional() }),
    response: operations.instructions,
  },
  retryInstruction: {
    method: "POST",
    path: "/api/operator/instructions/:id/retry",
    access: "operator",
    summary: "Try a parked one again",
    params: byRow,
    body: operations.reasonBody,
    response: operations.instruction,
  },
  giveBack: {
    method: "POST",
    path: "/api/operator/instructions/:id/give-back",
    access: "operator",
    summary: "Put a parked withdrawal or payout into its player's pool, a refund back into suspense",
    params: byRow,
    body: operations.reasonBody,
    response: operations.instruction,
  },
  sweep: {
    method: "POST",
    path: "/api/operator/sweep",
    access: "operator",
    summary: "Move earned rake to the house wallet",
    body: operations.sweepBody,
    response: operations.sweepPlan,
  },
  setSwitch: {
    method: "POST",
    path: "/api/operator/switches",
    access: "operator",
    summary: "Stop or start a part",
    body: operations.switchBody,
    response: operations.overview,
  },
  liftBreach: {
    method: "POST",
    path: "/api/operator/breaches/:id/lift",
    access: "operator",
    summary: "Lift a breach with a reason",
    params: byRow,
    body: operations.reasonBody,
    response: operations.overview,
  },
  thawWallet: {
    method: "POST",
    path: "/api/operator/wallets/:id/thaw",
    access: "operator",
    summary: "Let a frozen wallet pay again, with a reason",
    params: byRow,
    body: operations.reasonBody,
    response: operations.overview,
  },
  readAudit: {
    method: "GET",
    path: "/api/operator/audit",
    access: "operator",
    summary: "Who did what",
    query: pageQuery,
    response: operations.audit,
  },

  // service
  live: {
    method: "GET",
    path: "/health/live",
    access: "public",
    summary: "The process runs",
    response: operations.health,
  },
  ready: {
    method: "GET",
    path: "/health/ready",
    access: "public",
    summary: "The process can serve",
    response: operations.health,
  },
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
type Part<Name extends RouteName, Key extends string> =
  Routes[Name] extends Record<Key, infer Schema extends z.ZodType> ? Schema : z.ZodUndefined;
/** What a caller sends and gets. `In` is before decoding (what a client writes), `Out` after it (what a handler reads). */
export type ParamsOf<Name extends RouteName> = z.output<Part<Name, "params">>;
export type QueryOf<Name extends RouteName> = z.output<Part<Name, "query">>;
export type BodyOf<Name extends RouteName> = z.output<Part<Name, "body">>;
export type ParamsIn<Name extends RouteName> = z.input<Part<Name, "params">>;
export type QueryIn<Name extends RouteName> = z.input<Part<Name, "query">>;
export type BodyIn<Name extends RouteName> = z.input<Part<Name, "body">>;
export type ResponseOf<Name extends RouteName> = z.output<Routes[Name]["response"]>;

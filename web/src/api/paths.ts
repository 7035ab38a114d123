import type { RouteName, Routes } from "../../../engine/contract/routes.ts";

/**
 * The routes that the client calls. Written down here because the contract's table carries its schemas with it, and
 * these stay out of the bundle; the compiler compares every line with the contract.
 */
export const paths = {
  readConfig: "GET /api/config",
  createChallenge: "POST /api/auth/challenge",
  verifyChallenge: "POST /api/auth/verify",
  logout: "POST /api/auth/logout",
  readMe: "GET /api/me",
  changeMe: "PATCH /api/me",
  createLinkChallenge: "POST /api/me/wallets/challenge",
  linkWallet: "POST /api/me/wallets",
  rotateOverlay: "POST /api/me/overlay",
  readBalances: "GET /api/tokens/wallet",
  readHistory: "GET /api/tokens/history",
  listDeposits: "GET /api/deposits",
  readDepositAddress: "GET /api/deposits/address",
  listOwnSuspense: "GET /api/deposits/suspense",
  findDeposit: "POST /api/deposits/find",
  withdraw: "POST /api/withdrawals",
  claimWithdrawal: "POST /api/withdrawals/:id/claim",
  listWithdrawals: "GET /api/withdrawals",
  propose: "POST /api/proposals",
  listProposals: "GET /api/proposals",
  readProposalChain: "GET /api/proposals/:id/chain",
  acceptProposal: "POST /api/proposals/:id/accept",
  counterProposal: "POST /api/proposals/:id/counter",
  declineProposal: "POST /api/proposals/:id/decline",
  cancelProposal: "POST /api/proposals/:id/cancel",
  listGames: "GET /api/games",
  readGame: "GET /api/game/:id",
  readReceipt: "GET /api/game/:id/receipt",
  reportResult: "POST /api/game/:id/report",
  claimPayout: "POST /api/game/:id/claim",
  addEvidence: "POST /api/game/:id/evidence",
  decideGame: "POST /api/game/:id/decide",
  readListings: "GET /api/arena/listings",
  readLeaderboard: "GET /api/leaderboard",
  readPlayer: "GET /api/players/:handle",
  readLive: "GET /api/live/:room",
  readSolvency: "GET /api/solvency",
  readOverview: "GET /api/operator/overview",
  listDisputes: "GET /api/operator/disputes",
  decideDispute: "POST /api/operator/disputes/:id/decide",
  undoSettlement: "POST /api/operator/games/:id/undo",
  listSuspense: "GET /api/operator/suspense",
  refundSuspense: "POST /api/operator/suspense/:id/refund",
  assignSuspense: "POST /api/operator/suspense/:id/assign",
  listInstructions: "GET /api/operator/instructions",
  retryInstruction: "POST /api/operator/instructions/:id/retry",
  giveBack: "POST /api/operator/instructions/:id/give-back",
  sweep: "POST /api/operator/sweep",
  setSwitch: "POST /api/operator/switches",
  liftBreach: "POST /api/operator/breaches/:id/lift",
  thawWallet: "POST /api/operator/wallets/:id/thaw",
  readAudit: "GET /api/operator/audit",
} as const satisfies {
  [Name in RouteName]?: `${Routes[Name]["method"]} ${Routes[Name]["path"]}`;
};

/** A route that the client may call. */
export type WebRoute = keyof typeof paths;

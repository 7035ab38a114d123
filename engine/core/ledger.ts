import { isStoredAddress } from "./address.ts";
import { maxUint256 } from "./money.ts";
import { assert } from "./rejection.ts";

/**
 * The vocabulary of the books. Every account names the wallet that backs it, and one rule ties the ledger to the chain:
 *
 *   **A transfer between accounts that different wallets back, or from one of ours to `outside`, creates a chain
 *   instruction, and nothing else does** (`instructionOf`).
 *
 * The only crossings without one record what the chain did by itself (`deposit`, `deposit_orphaned`, `loss_booked`)
 * or take back a transfer whose instruction had not left yet (`settlement_undone` cancels the instructions of its
 * settlement, `deposit_orphaned` and `loss_booked` those of the collection, `withdrawal_returned`, `payout_returned` and
 * `refund_returned` the parked one of what they return).
 */
export type AccountKind =
  | "player.deposit"
  | "player.available"
  | "player.held"
  | "escrow.stakes"
  | "house.rake"
  | "house.dust"
  | "house.loss"
  | "suspense"
  | "outside";

/** One account per reference and token. `outside.address` is the counterparty on the chain, lower case. */
export type AccountRef =
  | { kind: "player.deposit" | "player.available" | "player.held"; playerId: string }
  | { kind: "escrow.stakes" | "house.rake" | "house.dust"; gameId: string }
  | { kind: "house.loss" }
  | { kind: "suspense"; walletId: string }
  | { kind: "outside"; address: string };

export type TransferReason =
  | "deposit"
  | "collect"
  | "hold"
  | "release"
  | "capture"
  | "win"
  | "payout"
  | "payout_returned"
  | "stake_returned"
  | "rake"
  | "dust"
  | "withdrawal"
  | "withdrawal_returned"
  | "sweep"
  | "suspense_claimed"
  | "suspense_refunded"
  | "refund_returned"
  | "deposit_orphaned"
  | "loss_booked"
  | "loss_repaid"
  | "settlement_undone";

/** Why a chain transfer is owed. */
export type InstructionKind = "collect" | "fund" | "settle" | "payout" | "withdrawal" | "sweep" | "refund";

export interface PlannedTransfer {
  from: AccountRef;
  to: AccountRef;
  /** The token's address, lower case. */
  token: string;
  /** Base units, more than zero. */
  amount: bigint;
  reason: TransferReason;
  /** Names the one business event that causes this transfer; unique for ever, so that it can't happen twice. */
  key: string;
}

export interface ReasonRule {
  from: readonly AccountKind[];
  to: readonly AccountKind[];
  /** What a transfer for this reason asks of the chain when it crosses wallets; null when it never asks anything. */
  instruction: InstructionKind | null;
}

/**
 * Which accounts a reason may connect. `house.loss` is kept on the debit side: it grows when money is taken out of it
 * that was lost, and `deposit` to it is the house paying a loss in.
 */
export const reasonRules: Readonly<Record<TransferReason, ReasonRule>> = {
  deposit: {
    from: ["outside"],
    to: ["player.deposit", "player.available", "suspense", "house.loss"],
    instruction: null,
  },
  collect: { from: ["player.deposit"], to: ["player.available"], instruction: "collect" },
  hold: { from: ["player.available"], to: ["player.held"], instruction: null },
  release: { from: ["player.held"], to: ["player.available"], instruction: null },
  capture: { from: ["player.held"], to: ["escrow.stakes"], instruction: "fund" },
  win: { from: ["escrow.stakes"], to: ["player.available"], instruction: "settle" },
  payout: { from: ["escrow.stakes"], to: ["outside"], instruction: "payout" },
  // Refused for good, as are the other two: it never left.
  payout_returned: { from: ["outside"], to: ["escrow.stakes"], instruction: null },
  stake_returned: { from: ["escrow.stakes"], to: ["player.available"], instruction: "settle" },
  rake: { from: ["escrow.stakes"], to: ["house.rake"], instruction: null },
  dust: { from: ["escrow.stakes"], to: ["house.dust"], instruction: null },
  withdrawal: { from: ["player.available"], to: ["outside"], instruction: "withdrawal" },
  withdrawal_returned: { from: ["outside"], to: ["player.available"], instruction: null },
  sweep: { from: ["house.rake", "house.dust"], to: ["outside"], instruction: "sweep" },
  suspense_claimed: { from: ["suspense"], to: ["player.available"], instruction: "collect" },
  suspense_refunded: { from: ["suspense"], to: ["outside"], instruction: "refund" },
  refund_returned: { from: ["outside"], to: ["suspense"], instruction: null },
  // Taken back along the way it came: available → deposit or suspense → outside.
  deposit_orphaned: {
    from: ["player.deposit", "player.available", "suspense"],
    to: ["outside", "player.deposit", "suspense"],
    instruction: null,
  },
  // The house bears what the player of an orphaned deposit has lost already.
  loss_booked: {
    from: ["house.loss"],
    to: ["player.available", "player.deposit", "outside"],
    instruction: null,
  },
  // The same deposit came into the chain again: what the house bore for it comes back.
  loss_repaid: { from: ["player.available"], to: ["house.loss"], instruction: null },
  settlement_undone: {
    from: ["player.available", "outside", "house.rake", "house.dust"],
    to: ["escrow.stakes"],
    instruction: null,
  },
};

export type Backing = "vault" | "deposit" | "escrow" | "landed" | "none";

const backings: Readonly<Record<AccountKind, Backing>> = {
  "player.deposit": "deposit",
  "player.available": "vault",
  "player.held": "vault",
  "escrow.stakes": "escrow",
  "house.rake": "escrow",
  "house.dust": "escrow",
  "house.loss": "vault",
  suspense: "landed",
  outside: "none",
};

/** The kind of wallet that holds the coins of an account: `landed` is the wallet in which a stray deposit arrived. */
export function backing(kind: AccountKind): Backing {
  return backings[kind];
}

/** Answers which of our wallets backs an account, by the wallet's id; null for `outside` only. */
export type WalletOf = (account: AccountRef) => string | null;

/** Whether the coins of a transfer change wallets on the chain. */
export function crossesWallets(transfer: Pick<PlannedTransfer, "from" | "to">, walletOf: WalletOf): boolean {
  return walletOf(transfer.from) !== walletOf(transfer.to);
}

/** The instruction that a transfer creates, or null. The only place that decides it. */
export function instructionOf(
  transfer: Pick<PlannedTransfer, "from" | "to" | "reason">,
  walletOf: WalletOf,
): InstructionKind | null {
  const { instruction } = reasonRules[transfer.reason];
  return instruction !== null && crossesWallets(transfer, walletOf) ? instruction : null;
}

/** One text per account, the same for equal references: `player.held:7`, `house.loss`, `outside:0x…`. */
export function accountKey(account: AccountRef): string {
  const owner = ownerOf(account);
  return owner === null ? account.kind : `${account.kind}:${owner}`;
}

/** The transfer that takes another one back: the same amount the other way, under the first one's key. */
export function reversalOf(transfer: PlannedTransfer, reason: TransferReason): PlannedTransfer {
  return { ...transfer, from: transfer.to, to: transfer.from, reason, key: `${transfer.key}:undone` };
}

/**
 * Throws unless a planned transfer keeps the rules of the books: a positive amount that fits a token, a reason that may
 * connect these accounts, one player or one game on both sides, and a key.
 */
export function checkTransfer(transfer: PlannedTransfer): void {
  const { from, to, token, amount, reason, key } = transfer;
  const rule = reasonRules[reason];
  assert(amount > 0n && amount <= maxUint256, `the amount of ${key} is ${amount}`);
  assert(isStoredAddress(token), `the token of ${key} is ${token}`);
  assert(/^[!-~]{3,200}$/.test(key), `the key of a transfer is ${JSON.stringify(key)}`);
  assert(rule.from.includes(from.kind), `${key} takes from ${from.kind} for ${reason}`);
  assert(rule.to.includes(to.kind), `${key} gives to ${to.kind} for ${reason}`);
  assert(accountKey(from) !== accountKey(to), `${key} goes from an account to itself`);
  for (const account of [from, to]) {
    assert(ownerOf(account) !== "", `${key} names an account without an owner`);
    assert(account.kind !== "outside" || isStoredAddress(account.address), `${key} names a bad address`);
  }
  if ("playerId" in from && "playerId" in to) {
    assert(from.playerId === to.playerId, `${key} moves money between two players`);
  }
  if ("gameId" in from && "gameId" in to) {
    assert(from.gameId === to.gameId, `${key} moves money between two games`);
  }
}

function ownerOf(account: AccountRef): string | null {
  if ("playerId" in account) return account.playerId;
  if ("gameId" in account) return account.gameId;
  if ("walletId" in account) return account.walletId;
  return "address" in account ? account.address : null;
}

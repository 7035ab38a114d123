/** Sign-in, the player's own page, pools, deposits and withdrawals. */
import { z } from "zod";
import {
  address,
  addressOut,
  handle,
  hash32,
  moment,
  money,
  page,
  positiveBaseUnits,
  publicId,
  rowId,
} from "./primitives.ts";

export const challengeBody = z.strictObject({ address });
export const challenge = z.strictObject({ message: z.string(), expiresAt: moment });

export const verifyBody = z.strictObject({
  message: z.string().min(1).max(4_000),
  signature: z
    .string()
    .max(20_002, "A signature has at most 10,000 bytes.")
    .regex(/^0x([0-9a-fA-F]{2})+$/, "A signature is 0x and hex digits."),
});

export const linkedWallet = z.strictObject({ address: addressOut, verifiedAt: moment, primary: z.boolean() });
export const winningsTo = z.enum(["pool", "wallet"]);

export const me = z
  .strictObject({
    id: rowId,
    handle: z.string(),
    winningsTo,
    termsAcceptedAt: moment.nullable(),
    operator: z.boolean(),
    wallets: z.array(linkedWallet),
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof me>;

/** Absent fields stay as they are. `acceptTerms` records age and terms, which every write of money asks for. */
export const mePatch = z.strictObject({
  handle: handle.optional(),
  winningsTo: winningsTo.optional(),
  primaryWallet: address.optional(),
  acceptTerms: z.literal(true).optional(),
});

/** Free, Locked, On its way; `withdrawable` is Free less what isn't final yet. */
export const poolBalance = z
  .strictObject({ free: money, locked: money, onItsWay: money, withdrawable: money })
  .meta({ id: "PoolBalance" });
export type PoolBalance = z.infer<typeof poolBalance>;
export const poolBalances = z.strictObject({ balances: z.array(poolBalance) });

/** One line of a player's history: a ledger transfer seen from the player's side. */
export const historyLine = z
  .strictObject({
    id: rowId,
    at: moment,
    reason: z.string(),
    direction: z.enum(["in", "out", "locked", "unlocked"]),
    money,
    gameId: publicId.nullable(),
    chainTxHash: hash32.nullable(),
  })
  .meta({ id: "HistoryLine" });
export type HistoryLine = z.infer<typeof historyLine>;
export const history = page(historyLine);

/** `seen`: in a block; `playable`: credited; `final`: withdrawable; `orphaned`: its block fell out of the chain. */
export const depositState = z.enum(["seen", "playable", "final", "orphaned"]);
export const deposit = z
  .strictObject({
    id: rowId,
    money,
    state: depositState,
    /** True when the block is posted to Ethereum (`safe`). */
    posted: z.boolean(),
    sender: addressOut,
    txHash: hash32,
    blockNumber: z.string(),
    seenAt: moment,
  })
  .meta({ id: "Deposit" });
export type Deposit = z.infer<typeof deposit>;
export const deposits = page(deposit);
export const depositAddress = z.strictObject({ address: addressOut, chainId: z.int() });

/** One of the operator's suspense items, seen by the player who sent it or to whose address it came. */
export const ownSuspenseItem = z
  .strictObject({
    id: rowId,
    money,
    state: z.enum(["open", "refunded"]),
    /** Sentences for the player: why it wasn't credited, and what happens now. */
    why: z.string(),
    next: z.string(),
    sender: addressOut,
    recipient: addressOut,
    txHash: hash32,
    seenAt: moment,
  })
  .meta({ id: "OwnSuspenseItem" });
export type OwnSuspenseItem = z.infer<typeof ownSuspenseItem>;
export const ownSuspense = z.strictObject({ items: z.array(ownSuspenseItem) });

export const findDepositBody = z.strictObject({ txHash: hash32 });
/** What we know of a transaction that a player pastes because nothing has arrived. */
export const foundDeposit = z.strictObject({
  status: z.enum(["credited", "waiting", "suspense", "not_ours", "failed", "not_found", "unavailable"]),
  /** A sentence for the person who asks. */
  explanation: z.string(),
  deposits: z.array(deposit),
});

export const withdrawalBody = z.strictObject({ token: address, amount: positiveBaseUnits, address });
/**
 * `waiting` → `sent` → `final`; `parked`: the token or the signer refuses it, the money waits here for an operator;
 * `cancelled`: it never left, a withdrawal's is in its player's pool again.
 */
export const payoutState = z.enum(["waiting", "sent", "mined", "final", "parked", "cancelled"]);
export const withdrawal = z
  .strictObject({
    id: publicId,
    money,
    address: addressOut,
    state: payoutState,
    txHash: hash32.nullable(),
    createdAt: moment,
  })
  .meta({ id: "Withdrawal" });
export type Withdrawal = z.infer<typeof withdrawal>;
export const withdrawals = page(withdrawal);

export const overlayLink = z.strictObject({ path: z.string(), createdAt: moment });

/** The operator's routes, the public solvency page and the configuration that a client needs. */
import { z } from "zod";
import {
  address,
  addressOut,
  baseUnits,
  handle,
  hash32,
  moment,
  money,
  playerRef,
  publicId,
  rowId,
} from "./primitives.ts";
import { game } from "./wager.ts";

export const clientConfig = z
  .strictObject({
    chainId: z.int(),
    chainIsLocal: z.boolean(),
    explorerUrl: z.string(),
    /** Every token that was ever listed; new offers are made in those that are. */
    tokens: z.array(
      z.strictObject({
        address: addressOut,
        symbol: z.string(),
        decimals: z.int(),
        /** The most that can be withdrawn at once. */
        withdrawalLimit: baseUnits,
        listed: z.boolean(),
      }),
    ),
    rakeBps: z.int(),
    reportWindowSeconds: z.int(),
    resultGraceSeconds: z.int(),
    disputeWindowSeconds: z.int(),
    undoWindowSeconds: z.int(),
    houseAddress: addressOut,
    termsVersion: z.string(),
  })
  .meta({ id: "ClientConfig" });
export type ClientConfig = z.infer<typeof clientConfig>;

export const invariantResult = z.strictObject({
  /** The number in docs/money.md. */
  number: z.int(),
  name: z.string(),
  ok: z.boolean(),
  detail: z.string().nullable(),
});
export const solvency = z
  .strictObject({
    checkedAt: moment.nullable(),
    blockNumber: z.string().nullable(),
    booksBalance: z.boolean(),
    tokens: z.array(
      z.strictObject({
        symbol: z.string(),
        owedToPlayers: money,
        inEscrow: money,
        earnedByHouse: money,
        inSuspense: money,
        onChain: money,
      }),
    ),
    invariants: z.array(invariantResult),
  })
  .meta({ id: "Solvency" });

export const overview = z
  .strictObject({
    chain: z.strictObject({ headNumber: z.string(), finalizedNumber: z.string(), behindSeconds: z.int() }),
    /** Our nodes, in the order of the configuration. */
    providers: z.array(
      z.strictObject({
        url: z.string(),
        ok: z.boolean(),
        /** Whether its word on our wallets is that of the others; while it isn't, nothing more becomes final. */
        agrees: z.boolean(),
        note: z.string().nullable(),
        headNumber: z.string().nullable(),
        behindBlocks: z.int(),
        lookedAt: moment,
      }),
    ),
    depositsUnmatched: z.int(),
    instructionsWaiting: z.int(),
    instructionsStuck: z.int(),
    oldestStuckSeconds: z.int().nullable(),
    openDisputes: z.int(),
    booksBalance: z.boolean(),
    outflowsStopped: z.strictObject({ reason: z.string(), since: moment }).nullable(),
    breaches: z.array(
      z.strictObject({ id: rowId, invariant: z.string(), detail: z.string(), foundAt: moment }),
    ),
    /** Wallets of ours that pay nothing until an operator thaws them. */
    frozenWallets: z.array(
      z.strictObject({ id: rowId, address: addressOut, purpose: z.string(), reason: z.string() }),
    ),
    switches: z.array(
      z.strictObject({ name: z.string(), on: z.boolean(), reason: z.string().nullable(), changedAt: moment }),
    ),
  })
  .meta({ id: "Overview" });

export const dispute = z.strictObject({ game, openedAt: moment, dueAt: moment });
export const disputes = z.strictObject({ items: z.array(dispute) });

export const suspenseItem = z
  .strictObject({
    id: rowId,
    money,
    cause: z.string(),
    sender: addressOut,
    recipient: addressOut,
    txHash: hash32,
    state: z.enum(["open", "claimed", "refunded"]),
    seenAt: moment,
    claimedBy: playerRef.nullable(),
  })
  .meta({ id: "SuspenseItem" });
export const suspenseItems = z.strictObject({ items: z.array(suspenseItem) });
export const refundBody = z.strictObject({ reason: z.string().min(1).max(1_000) });
export const assignBody = refundBody.extend({ handle });

export const instruction = z
  .strictObject({
    id: rowId,
    kind: z.enum(["collect", "fund", "settle", "payout", "withdrawal", "sweep", "refund", "topup", "deploy"]),
    state: z.enum(["gathering", "queued", "sending", "mined", "final", "parked", "cancelled"]),
    /** null: native ether for gas. */
    money: money.nullable(),
    source: addressOut,
    destination: addressOut,
    nonce: z.int().nullable(),
    txHash: hash32.nullable(),
    attempts: z.int(),
    gameId: publicId.nullable(),
    note: z.string().nullable(),
    createdAt: moment,
  })
  .meta({ id: "Instruction" });
export const instructions = z.strictObject({
  items: z.array(instruction),
  nextCursor: z.string().nullable(),
});

/** With `dryRun` nothing is written. `confirmTotal` must equal what a dry run said. */
export const sweepBody = z.strictObject({
  token: address,
  dryRun: z.boolean(),
  confirmTotal: baseUnits.optional(),
});
export const sweepPlan = z.strictObject({
  token: addressOut,
  destination: addressOut,
  total: money,
  lines: z.array(z.strictObject({ gameId: publicId, escrow: addressOut, rake: money, dust: money })),
  /** Earned but not free yet: disputed, in its undo window, or not final. */
  heldBack: z.array(z.strictObject({ gameId: publicId, money, why: z.string() })),
  instructionIds: z.array(rowId),
});

export const switchBody = z.strictObject({
  name: z.enum(["outflows", "deposits", "proposals"]),
  on: z.boolean(),
  reason: z.string().min(1).max(500),
});
export const reasonBody = z.strictObject({ reason: z.string().min(1).max(1_000) });
export const audit = z.strictObject({
  items: z.array(
    z.strictObject({
      id: rowId,
      at: moment,
      actor: z.string(),
      action: z.string(),
      subject: z.string(),
      detail: z.string(),
    }),
  ),
  nextCursor: z.string().nullable(),
});

export const health = z.strictObject({ ok: z.boolean(), checks: z.record(z.string(), z.string()) });

import { describe, expect, test } from "vitest";
import {
  type AccountKind,
  type AccountRef,
  accountKey,
  backing,
  checkTransfer,
  crossesWallets,
  instructionOf,
  type PlannedTransfer,
  reasonRules,
  reversalOf,
  type TransferReason,
} from "../../engine/core/ledger.ts";
import { maxUint256 } from "../../engine/core/money.ts";
import { token } from "./sample.ts";

const address = `0x${"ab".repeat(20)}`;
const accounts: Record<AccountKind, AccountRef> = {
  "player.deposit": { kind: "player.deposit", playerId: "1" },
  "player.available": { kind: "player.available", playerId: "1" },
  "player.held": { kind: "player.held", playerId: "1" },
  "escrow.stakes": { kind: "escrow.stakes", gameId: "g" },
  "house.rake": { kind: "house.rake", gameId: "g" },
  "house.dust": { kind: "house.dust", gameId: "g" },
  "house.loss": { kind: "house.loss" },
  suspense: { kind: "suspense", walletId: "deposit:1" },
  outside: { kind: "outside", address },
};
const kinds = Object.keys(accounts) as AccountKind[];
const reasons = Object.keys(reasonRules) as TransferReason[];

/** The wallets: the vault, one per deposit address, one per game, the one that a stray deposit landed in. */
const walletOf = (account: AccountRef): string | null => {
  const where = backing(account.kind);
  if (where === "none") return null;
  if (where === "deposit") return "deposit:1";
  if (where === "escrow") return "escrow:g";
  return account.kind === "suspense" ? account.walletId : "vault";
};
const plan = (change: Partial<PlannedTransfer> = {}): PlannedTransfer => ({
  from: accounts["player.available"],
  to: accounts["player.held"],
  token,
  amount: 1n,
  reason: "hold",
  key: "proposal:1:hold",
  ...change,
});

/** The rules in words of their own, independent of the table in the code. */
const connections: Record<TransferReason, string[]> = {
  deposit: ["outside>player.deposit", "outside>player.available", "outside>suspense", "outside>house.loss"],
  collect: ["player.deposit>player.available"],
  hold: ["player.available>player.held"],
  release: ["player.held>player.available"],
  capture: ["player.held>escrow.stakes"],
  win: ["escrow.stakes>player.available"],
  payout: ["escrow.stakes>outside"],
  payout_returned: ["outside>escrow.stakes"],
  stake_returned: ["escrow.stakes>player.available"],
  rake: ["escrow.stakes>house.rake"],
  dust: ["escrow.stakes>house.dust"],
  withdrawal: ["player.available>outside"],
  withdrawal_returned: ["outside>player.available"],
  sweep: ["house.rake>outside", "house.dust>outside"],
  suspense_claimed: ["suspense>player.available"],
  suspense_refunded: ["suspense>outside"],
  refund_returned: ["outside>suspense"],
  deposit_orphaned: [
    "player.deposit>outside",
    "player.available>outside",
    "suspense>outside",
    "player.available>player.deposit",
    "suspense>player.deposit",
    "player.deposit>suspense",
    "player.available>suspense",
  ],
  loss_booked: ["house.loss>player.available", "house.loss>player.deposit", "house.loss>outside"],
  loss_repaid: ["player.available>house.loss"],
  settlement_undone: [
    "player.available>escrow.stakes",
    "outside>escrow.stakes",
    "house.rake>escrow.stakes",
    "house.dust>escrow.stakes",
  ],
};

describe.each(reasons)("a transfer for %s", (reason) => {
  test("connects exactly the accounts that it is for", () => {
    const accepted = kinds.flatMap((from) =>
      kinds
        .filter((to) => {
          try {
            checkTransfer(plan({ from: accounts[from], to: accounts[to], reason }));
            return true;
          } catch {
            return false;
          }
        })
        .map((to) => `${from}>${to}`),
    );
    expect(accepted.sort()).toEqual([...connections[reason]].sort());
  });

  // What happened on the chain without us, and what takes back an instruction that hasn't left.
  const observed: TransferReason[] = [
    ...(["deposit", "deposit_orphaned", "loss_booked"] as const),
    ...(["settlement_undone", "withdrawal_returned", "payout_returned", "refund_returned"] as const),
  ];
  test("asks the chain for a move exactly when it crosses wallets", () => {
    for (const connection of connections[reason]) {
      const [from, to] = connection.split(">") as [AccountKind, AccountKind];
      const transfer = { from: accounts[from], to: accounts[to], reason };
      const crosses = walletOf(transfer.from) !== walletOf(transfer.to);
      expect(crossesWallets(transfer, walletOf)).toBe(crosses);
      expect(instructionOf(transfer, walletOf) !== null, connection).toBe(
        crosses && !observed.includes(reason),
      );
    }
  });
});

test("each kind of instruction has its causes", () => {
  const kind = (reason: TransferReason) => reasonRules[reason].instruction;
  expect(Object.fromEntries(reasons.map((reason) => [reason, kind(reason)]))).toEqual({
    deposit: null,
    collect: "collect",
    hold: null,
    release: null,
    capture: "fund",
    win: "settle",
    payout: "payout",
    payout_returned: null,
    stake_returned: "settle",
    rake: null,
    dust: null,
    withdrawal: "withdrawal",
    withdrawal_returned: null,
    sweep: "sweep",
    suspense_claimed: "collect",
    suspense_refunded: "refund",
    refund_returned: null,
    deposit_orphaned: null,
    loss_booked: null,
    loss_repaid: null,
    settlement_undone: null,
  });
});

test("claiming a stray deposit that landed in the vault moves nothing on the chain", () => {
  const claim = (walletId: string) =>
    instructionOf(
      { from: { kind: "suspense", walletId }, to: accounts["player.available"], reason: "suspense_claimed" },
      walletOf,
    );
  expect(claim("vault")).toBeNull();
  expect(claim("escrow:g")).toBe("collect");
});

test("every account names the wallet behind it", () => {
  expect(Object.fromEntries(kinds.map((kind) => [kind, backing(kind)]))).toEqual({
    "player.deposit": "deposit",
    "player.available": "vault",
    "player.held": "vault",
    "escrow.stakes": "escrow",
    "house.rake": "escrow",
    "house.dust": "escrow",
    "house.loss": "vault",
    suspense: "landed",
    outside: "none",
  });
});

test("account keys differ where accounts do", () => {
  const keys = kinds.map((kind) => accountKey(accounts[kind]));
  expect(new Set(keys).size).toBe(kinds.length);
  expect(accountKey({ kind: "player.held", playerId: "7" })).toBe("player.held:7");
  expect(accountKey({ kind: "house.loss" })).toBe("house.loss");
  expect(accountKey({ kind: "outside", address })).toBe(`outside:${address}`);
});

test.each<[string, Partial<PlannedTransfer>]>([
  ["nothing", { amount: 0n }],
  ["a negative amount", { amount: -1n }],
  ["more than a token holds", { amount: maxUint256 + 1n }],
  ["a token in mixed case", { token: token.replace("a", "A") }],
  ["no token", { token: "" }],
  ["no key", { key: "" }],
  ["a key with a space", { key: "proposal 1" }],
  ["a key without end", { key: "x".repeat(201) }],
  ["another player's money", { to: { kind: "player.held", playerId: "2" } }],
  [
    "a player without a name",
    {
      from: { kind: "player.available", playerId: "" },
      to: { kind: "player.held", playerId: "" },
    },
  ],
  [
    "rake of another game",
    {
      from: accounts["escrow.stakes"],
      to: { kind: "house.rake", gameId: "h" },
      reason: "rake",
    },
  ],
  [
    "an address in mixed case",
    {
      to: { kind: "outside", address: address.toUpperCase() },
      reason: "withdrawal",
    },
  ],
])("a plan with %s never reaches the books", (_, change) => {
  expect(() => checkTransfer(plan())).not.toThrow();
  expect(() => checkTransfer(plan(change))).toThrow("Broken promise");
});

test("an account never pays itself, even where a reason would allow both ends", () => {
  const self = { from: accounts.suspense, to: accounts.suspense, reason: "deposit_orphaned" } as const;
  expect(() => checkTransfer(plan(self))).toThrow("itself");
  const elsewhere = { ...self, to: { kind: "suspense", walletId: "vault" } } as const;
  expect(() => checkTransfer(plan(elsewhere))).not.toThrow();
});

test("a reversal is the same money the other way under a key of its own", () => {
  const win = plan({
    from: accounts["escrow.stakes"],
    to: accounts["player.available"],
    reason: "win",
    key: "game:g:1",
  });
  const undone = reversalOf(win, "settlement_undone");
  expect(undone).toEqual({
    ...win,
    from: win.to,
    to: win.from,
    reason: "settlement_undone",
    key: "game:g:1:undone",
  });
  expect(() => checkTransfer(undone)).not.toThrow();
});

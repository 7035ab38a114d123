import { expect, test } from "vitest";
import { executorOf } from "../../wallets/executor.ts";
import { type CommittedInstruction, instructionKinds } from "../../wallets/instruction.ts";
import { limitsOf } from "../../wallets/limits.ts";
import { checkPolicy, type PolicyContext } from "../../wallets/policy.ts";
import { type PolicyCode, policyCodes } from "../../wallets/policy-codes.ts";
import {
  addressOf,
  contextOf,
  executor,
  gas,
  houseWallet,
  instructionOf,
  openwork,
  outsider,
  requestOf,
  unlisted,
  usdc,
  vault,
  wallets,
} from "./fixtures.ts";

function verdictOf(
  instruction: CommittedInstruction,
  changes: Partial<PolicyContext> = {},
): PolicyCode | "allowed" {
  const verdict = checkPolicy(requestOf(instruction), instruction, contextOf(instruction, changes));
  return verdict.ok ? "allowed" : verdict.rejection.code;
}

test("each kind may go its own way", () => {
  for (const kind of instructionKinds) expect(verdictOf(instructionOf(kind)), kind).toBe("allowed");
});

test("no kind may go another kind's way: every pair of source and destination is tried", () => {
  const destinations = [...wallets.map(addressOf), outsider, houseWallet, executor];
  const allowed: string[] = [];
  for (const kind of instructionKinds) {
    for (const from of wallets) {
      for (const destination of destinations) {
        const instruction = instructionOf(kind, { sourceAddress: addressOf(from), destination });
        const request = requestOf(instruction, { wallet: from });
        const context = contextOf(instruction, { sourceAddress: addressOf(from) });
        const owner = context.destinationOwner;
        const names = new Map([
          [houseWallet, "house"],
          [executor, kind === "deploy" ? "executor" : "outside"],
        ]);
        const to = owner.kind === "ours" ? owner.wallet.purpose : (names.get(destination) ?? "outside");
        if (checkPolicy(request, instruction, context).ok) allowed.push(`${kind}: ${from.purpose} > ${to}`);
      }
    }
  }
  expect([...new Set(allowed)].sort()).toEqual([
    "collect: deposit > vault",
    "collect: escrow > vault",
    "collect: gas > vault",
    "deploy: gas > executor",
    "fund: vault > escrow",
    "payout: escrow > house",
    "payout: escrow > outside",
    "refund: deposit > house",
    "refund: deposit > outside",
    "refund: escrow > house",
    "refund: escrow > outside",
    "refund: gas > house",
    "refund: gas > outside",
    "refund: vault > house",
    "refund: vault > outside",
    "settle: escrow > vault",
    "sweep: escrow > house",
    "sweep: vault > house",
    "topup: gas > deposit",
    "topup: gas > escrow",
    "topup: gas > vault",
    "withdrawal: vault > house",
    "withdrawal: vault > outside",
  ]);
});

test("only queued and sending instructions are signed", () => {
  expect(verdictOf(instructionOf("payout", { state: "queued" }))).toBe("allowed");
  for (const state of ["gathering", "mined", "final", "parked", "cancelled", "", "SENDING"]) {
    expect(verdictOf(instructionOf("payout", { state }))).toBe("instruction_not_signable");
  }
});

test("a token off the list, and ETH for anything but gas, don't move", () => {
  expect(verdictOf(instructionOf("payout", { token: unlisted }))).toBe("token_not_allowed");
  expect(verdictOf(instructionOf("payout", { token: null }))).toBe("token_not_allowed");
  expect(verdictOf(instructionOf("topup", { token: usdc }))).toBe("token_not_allowed");
});

test("money isn't sent to nowhere, to a token contract, or to itself", () => {
  expect(verdictOf(instructionOf("payout", { destination: `0x${"0".repeat(40)}` }))).toBe("destination_zero");
  expect(verdictOf(instructionOf("payout", { destination: usdc }))).toBe("destination_is_token");
  expect(verdictOf(instructionOf("payout", { destination: openwork }))).toBe("destination_is_token");
  expect(verdictOf(instructionOf("topup", { destination: addressOf(gas) }))).toBe("destination_is_source");
});

test("an address that the database calls ours but the seed can't derive gets nothing", () => {
  const destinationOwner = { kind: "unproven" } as const;
  for (const kind of instructionKinds) {
    expect(verdictOf(instructionOf(kind), { destinationOwner })).toBe("destination_unproven");
  }
});

test("an amount of zero or less is no payment", () => {
  for (const amount of [0n, -1n])
    expect(verdictOf(instructionOf("payout", { amount }))).toBe("amount_not_positive");
});

test("a deployment makes the gas wallet's own executor, and brings no ether", () => {
  expect(verdictOf(instructionOf("deploy"))).toBe("allowed");
  const elsewhere = executorOf(addressOf(vault));
  expect(verdictOf(instructionOf("deploy", { destination: elsewhere }))).toBe("destination_not_allowed");
  expect(verdictOf(instructionOf("deploy", { amount: 1n }))).toBe("amount_not_zero");
  expect(verdictOf(instructionOf("deploy", { token: usdc }))).toBe("token_not_allowed");
});

test("a deployment may cost as much gas as ten transfers, and no more", () => {
  const instruction = instructionOf("deploy");
  const check = (maxFeePerGas: bigint): string => {
    const request = requestOf(instruction, { gasLimit: 1_000_000n, maxFeePerGas });
    const verdict = checkPolicy(request, instruction, contextOf(instruction));
    return verdict.ok ? "allowed" : verdict.rejection.code;
  };
  expect(check(20_000_000_000n)).toBe("allowed");
  expect(check(20_000_000_001n)).toBe("over_fee_cap");
});

test("the limit of one transaction holds to the unit, and only where money leaves", () => {
  const limit = 1_000_000_000n;
  for (const kind of ["payout", "withdrawal", "refund", "sweep"] as const) {
    expect(verdictOf(instructionOf(kind, { amount: limit }))).toBe("allowed");
    expect(verdictOf(instructionOf(kind, { amount: limit + 1n }))).toBe("over_transaction_limit");
  }
  for (const kind of ["collect", "fund", "settle"] as const) {
    expect(verdictOf(instructionOf(kind, { amount: limit * 1_000n }))).toBe("allowed");
  }
});

test("the limit of an hour holds to the unit", () => {
  const instruction = instructionOf("payout", { amount: 500n });
  expect(verdictOf(instruction, { leftWithinHour: 2_499_999_500n })).toBe("allowed");
  expect(verdictOf(instruction, { leftWithinHour: 2_499_999_501n })).toBe("over_hour_limit");
  expect(verdictOf(instructionOf("collect"), { leftWithinHour: 10n ** 30n })).toBe("allowed");
});

test("more than ever leaves within an hour is refused for good, and doesn't wait for room", () => {
  const limits = new Map([[usdc, { perTransaction: 1_000n, perHour: 500n }]]);
  expect(verdictOf(instructionOf("payout", { amount: 500n }), { limits })).toBe("allowed");
  expect(verdictOf(instructionOf("payout", { amount: 501n }), { limits })).toBe("larger_than_hour_limit");
  expect(policyCodes.larger_than_hour_limit.retriable).toBe(false);
});

test("a token without configured limits has the documented ones", () => {
  expect(limitsOf({ address: usdc, decimals: 6 })).toEqual({
    perTransaction: 10_000_000_000n,
    perHour: 50_000_000_000n,
  });
  expect(limitsOf({ address: openwork, decimals: 18, limits: { perHour: 7n } })).toEqual({
    perTransaction: 10n ** 24n,
    perHour: 7n,
  });
});

test("gas costs at most the cap, a top-up at most its own", () => {
  const instruction = instructionOf("payout");
  const check = (changes: Parameters<typeof requestOf>[1]): string => {
    const verdict = checkPolicy(requestOf(instruction, changes), instruction, contextOf(instruction));
    return verdict.ok ? "allowed" : verdict.rejection.code;
  };
  expect(check({ gasLimit: 100_000n, maxFeePerGas: 20_000_000_000n })).toBe("allowed");
  expect(check({ gasLimit: 100_000n, maxFeePerGas: 20_000_000_001n })).toBe("over_fee_cap");
  expect(check({ maxFeePerGas: 5n, maxPriorityFeePerGas: 6n })).toBe("fee_malformed");
  expect(verdictOf(instructionOf("topup", { amount: 5_000_000_000_000_000n }))).toBe("allowed");
  expect(verdictOf(instructionOf("topup", { amount: 5_000_000_000_000_001n }))).toBe("over_topup_limit");
});

test("a pause and another chain refuse everything", () => {
  for (const kind of instructionKinds) {
    expect(verdictOf(instructionOf(kind), { pauseReason: "the books don't balance" })).toBe("paused");
    for (const chainId of [1, 84532, 31337, 0]) {
      expect(verdictOf(instructionOf(kind), { chainId })).toBe("wrong_chain");
    }
  }
});

test("when more was signed within the hour than can be remembered, nothing new is signed", () => {
  expect(verdictOf(instructionOf("payout"), { isHistoryFull: true })).toBe("history_full");
});

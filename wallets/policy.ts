/**
 * What may be signed: a pure check of a request against the committed instruction. Everything that the caller can't
 * influence (derived addresses, limits, what left within the hour) comes in the context, built by the signer.
 */
import type { WalletRef } from "./derivation.ts";
import type { SignedPayload } from "./history.ts";
import type { CommittedInstruction, SignRequest } from "./instruction.ts";
import type { TokenLimits } from "./limits.ts";
import type { PolicyCode, PolicyRejection } from "./policy-codes.ts";
import { leavesOurWallets, routes } from "./routes.ts";

/** Base. */
export const baseChainId = 8453;
const zeroAddress = `0x${"0".repeat(40)}`;

/** Whose a destination is: one of ours by our own derivation, said to be ours but not derivable, or anybody else's. */
export type DestinationOwner =
  | { kind: "ours"; wallet: WalletRef }
  | { kind: "unproven" }
  | { kind: "outside" };

export interface PolicyContext {
  chainId: number;
  /** Why signing is paused, or null. */
  pauseReason: string | null;
  /** The address derived from the request's wallet, lower case. */
  sourceAddress: string;
  /** Whose nonce is spent: the source, or the gas wallet that has it pay. */
  senderAddress: string;
  /** The ids of all that the transaction pays, this one included, in order. */
  together: readonly string[];
  /** Where the executor of the gas wallet stands, lower case. */
  executor: string;
  destinationOwner: DestinationOwner;
  /** From configuration, lower case. */
  houseWallet: string;
  /** The allow-list: limits in base units by lower-case contract address. */
  limits: ReadonlyMap<string, TokenLimits>;
  /** Base units of the instruction's token that left within the last hour by other payments than this one. */
  leftWithinHour: bigint;
  /** As the signer remembers, or as the database says. */
  signedBefore: SignedPayload | null;
  /** The signer itself has signed this with this nonce. */
  isCounted: boolean;
  isHistoryFull: boolean;
  /** wei, for the whole transaction, and per instruction that it pays. */
  maxFeeWei: bigint;
  /** wei, for one top-up. */
  maxTopupWei: bigint;
}

export type PolicyVerdict = { ok: true } | { ok: false; rejection: PolicyRejection };

/** Checks in the order in which an operator would ask; the first that fails is the answer. */
export function checkPolicy(
  request: SignRequest,
  instruction: CommittedInstruction,
  context: PolicyContext,
): PolicyVerdict {
  const rejection =
    checkStanding(request, instruction, context) ??
    checkFirstPayload(request, instruction, context) ??
    checkSource(request, instruction, context) ??
    checkAsset(instruction, context) ??
    checkDestination(instruction, context) ??
    checkFee(request, instruction, context) ??
    checkLimits(instruction, context);
  return rejection === null ? { ok: true } : { ok: false, rejection };
}

function reject(code: PolicyCode, message: string): PolicyRejection {
  return { code, message };
}

function checkStanding(
  request: SignRequest,
  instruction: CommittedInstruction,
  context: PolicyContext,
): PolicyRejection | null {
  if (context.pauseReason !== null) return reject("paused", `Signing is paused: ${context.pauseReason}`);
  if (context.chainId !== baseChainId)
    return reject("wrong_chain", "Only transactions on chain 8453 are signed.");
  if (instruction.id !== request.instructionId) {
    return reject("instruction_mismatch", "The instruction that was read isn't the one that was asked for.");
  }
  if (instruction.state !== "queued" && instruction.state !== "sending") {
    return reject("instruction_not_signable", "The instruction is neither queued nor being sent.");
  }
  return null;
}

/** An instruction never changes after its first signature, and keeps its nonce: the old bytes are still valid somewhere. */
function checkFirstPayload(
  request: SignRequest,
  instruction: CommittedInstruction,
  { signedBefore, isHistoryFull, senderAddress, together }: PolicyContext,
): PolicyRejection | null {
  if (signedBefore === null) {
    return isHistoryFull
      ? reject("history_full", "More was signed within the hour than can be remembered.")
      : null;
  }
  const isSame =
    signedBefore.kind === instruction.kind &&
    signedBefore.sourceAddress === instruction.sourceAddress &&
    signedBefore.token === instruction.token &&
    signedBefore.destination === instruction.destination &&
    signedBefore.amount === instruction.amount;
  if (!isSame)
    return reject("instruction_changed", "The instruction was signed before with another payload.");
  const isSameSender = signedBefore.sender === senderAddress;
  if (isSameSender && signedBefore.nonce === request.nonce) {
    return isSameList(signedBefore.together, together)
      ? null
      : reject("instruction_changed", "The instruction was signed before together with others.");
  }
  const { failed } = instruction;
  const hasFailed = failed?.sender === signedBefore.sender && failed.nonce === signedBefore.nonce;
  if (!hasFailed || (isSameSender && request.nonce < signedBefore.nonce)) {
    return reject(
      "nonce_changed",
      "The instruction was signed before with another nonce and could be paid twice.",
    );
  }
  return null;
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);

function checkSource(
  request: SignRequest,
  instruction: CommittedInstruction,
  context: PolicyContext,
): PolicyRejection | null {
  if (context.sourceAddress !== instruction.sourceAddress) {
    return reject("source_mismatch", "The wallet of the request isn't the source of the instruction.");
  }
  if (!routes[instruction.kind].from.includes(request.wallet.purpose)) {
    return reject(
      "purpose_not_allowed",
      `A ${instruction.kind} can't be paid from a ${request.wallet.purpose} wallet.`,
    );
  }
  return null;
}

function checkAsset(instruction: CommittedInstruction, context: PolicyContext): PolicyRejection | null {
  const isAllowed =
    instruction.kind === "topup" || instruction.kind === "deploy"
      ? instruction.token === null
      : instruction.token !== null && context.limits.has(instruction.token);
  if (!isAllowed) return reject("token_not_allowed", `This asset can't be moved by a ${instruction.kind}.`);
  if (instruction.kind === "deploy") {
    return instruction.amount === 0n ? null : reject("amount_not_zero", "A deployment brings no ether.");
  }
  if (instruction.amount <= 0n) return reject("amount_not_positive", "The amount must be above zero.");
  return null;
}

function checkDestination(instruction: CommittedInstruction, context: PolicyContext): PolicyRejection | null {
  const { destination, kind } = instruction;
  if (destination === zeroAddress) return reject("destination_zero", "Nothing is sent to the zero address.");
  if (context.limits.has(destination)) {
    return reject("destination_is_token", "The destination is a token contract: what it gets is lost.");
  }
  if (destination === instruction.sourceAddress) {
    return reject("destination_is_source", "The destination is the source itself.");
  }
  const owner = context.destinationOwner;
  if (owner.kind === "unproven") {
    return reject(
      "destination_unproven",
      "The destination is recorded as ours, but this seed doesn't derive it.",
    );
  }
  const isAllowed = routes[kind].to.some((target) => {
    if (target === "executor") return destination === context.executor;
    if (target === "outside") return owner.kind === "outside";
    if (target === "house") return owner.kind === "outside" && destination === context.houseWallet;
    return owner.kind === "ours" && owner.wallet.purpose === target;
  });
  return isAllowed ? null : reject("destination_not_allowed", `A ${kind} can't go to this destination.`);
}

/** The deployment, which happens once, takes the gas of so many transfers. */
const deploymentInTransfers = 10n;

function checkFee(
  request: SignRequest,
  { kind }: CommittedInstruction,
  context: PolicyContext,
): PolicyRejection | null {
  if (request.maxPriorityFeePerGas > request.maxFeePerGas) {
    return reject("fee_malformed", "The priority fee is above the whole fee.");
  }
  const transfers = kind === "deploy" ? deploymentInTransfers : BigInt(context.together.length);
  const capWei = context.maxFeeWei * transfers;
  if (request.maxFeePerGas * request.gasLimit > capWei) {
    return reject("over_fee_cap", `The fee could exceed the cap of ${capWei} wei.`);
  }
  return null;
}

function checkLimits(instruction: CommittedInstruction, context: PolicyContext): PolicyRejection | null {
  if (instruction.kind === "topup") {
    return instruction.amount > context.maxTopupWei
      ? reject("over_topup_limit", `A top-up is at most ${context.maxTopupWei} wei.`)
      : null;
  }
  const limits = context.limits.get(instruction.token ?? "");
  if (limits === undefined || !leavesOurWallets(instruction.kind)) return null;
  if (instruction.amount > limits.perTransaction) {
    return reject(
      "over_transaction_limit",
      `At most ${limits.perTransaction} base units leave in one transaction.`,
    );
  }
  if (instruction.amount > limits.perHour) {
    return reject(
      "larger_than_hour_limit",
      `At most ${limits.perHour} base units leave within an hour: for this there is never room.`,
    );
  }
  // A higher fee for what was counted already needs no new room; another nonce does, whoever says that the first failed.
  if (!context.isCounted && context.leftWithinHour + instruction.amount > limits.perHour) {
    return reject("over_hour_limit", `At most ${limits.perHour} base units leave within an hour.`);
  }
  return null;
}

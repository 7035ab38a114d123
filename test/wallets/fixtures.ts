/** A signer over the published seed, with a house of known wallets and a table of committed instructions. */

import { deriveAddress, type WalletRef } from "../../wallets/derivation.ts";
import { executorOf } from "../../wallets/executor.ts";
import type { SignedPayload } from "../../wallets/history.ts";
import type { CommittedInstruction, InstructionKind, SignRequest } from "../../wallets/instruction.ts";
import { limitsOf, type TokenRule } from "../../wallets/limits.ts";
import type { PolicyContext } from "../../wallets/policy.ts";
import type { PolicyCode } from "../../wallets/policy-codes.ts";
import { SigningRefusedError } from "../../wallets/policy-codes.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";
import { createSigner, type Signer, type SignerOptions } from "../../wallets/signer.ts";

export const seed = new Seed(developmentMnemonic);
export const usdc = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
export const openwork = "0x299c30dd5974bf4d5bfe42c340ca40462816ab07";
export const unlisted = `0x${"77".repeat(20)}`;
export const houseWallet = "0x4ba550190e5793752c4248098ebb85c977815ddc";
export const outsider = `0x${"ab".repeat(20)}`;

export const vault: WalletRef = { purpose: "vault", index: 0 };
export const gas: WalletRef = { purpose: "gas", index: 0 };
export const deposit: WalletRef = { purpose: "deposit", index: 7 };
export const escrow: WalletRef = { purpose: "escrow", index: 3 };
export const wallets = [vault, gas, deposit, escrow] as const;
const addresses = new Map(wallets.map((wallet) => [wallet, deriveAddress({ seed, wallet })]));
export const addressOf = (wallet: WalletRef): string =>
  addresses.get(wallet) ?? deriveAddress({ seed, wallet });

export const tokens: TokenRule[] = [
  { address: usdc, decimals: 6, limits: { perTransaction: 1_000_000_000n, perHour: 2_500_000_000n } },
  { address: openwork, decimals: 18 },
];

export const executor = executorOf(addressOf(gas));

/** For each kind, a wallet that it may be paid from and a destination that it may go to. */
export const ways: Readonly<Record<InstructionKind, { from: WalletRef; to: string }>> = {
  collect: { from: deposit, to: addressOf(vault) },
  fund: { from: vault, to: addressOf(escrow) },
  settle: { from: escrow, to: addressOf(vault) },
  payout: { from: escrow, to: outsider },
  withdrawal: { from: vault, to: outsider },
  sweep: { from: escrow, to: houseWallet },
  refund: { from: deposit, to: outsider },
  topup: { from: gas, to: addressOf(escrow) },
  deploy: { from: gas, to: executor },
};

const startMs = 1_800_000_000_000;
const amounts: Partial<Record<InstructionKind, bigint>> = { topup: 1_000_000_000_000_000n, deploy: 0n };
let lastId = 0;

/** A committed instruction that may be signed as it stands. */
export function instructionOf(
  kind: InstructionKind,
  changes: Partial<CommittedInstruction> = {},
): CommittedInstruction {
  lastId += 1;
  return {
    id: String(lastId),
    kind,
    state: "sending",
    sourceAddress: addressOf(ways[kind].from),
    token: kind === "topup" || kind === "deploy" ? null : usdc,
    destination: ways[kind].to,
    amount: amounts[kind] ?? 50_000_000n,
    ...changes,
  };
}

/** The request for one attempt of an instruction. */
export function requestOf(
  instruction: CommittedInstruction,
  changes: Partial<SignRequest> = {},
): SignRequest {
  return {
    instructionId: instruction.id,
    wallet: ways[instruction.kind].from,
    nonce: 0,
    gasLimit: 80_000n,
    maxFeePerGas: 2_000_000_000n,
    maxPriorityFeePerGas: 1_000_000n,
    ...changes,
  };
}

/** What the database says was signed of an instruction, by its own wallet and alone. */
export function signedOf(
  { id: instructionId, kind, sourceAddress, token, destination, amount }: CommittedInstruction,
  changes: Partial<SignedPayload> = {},
): SignedPayload {
  const payload = { instructionId, kind, sourceAddress, token, destination, amount };
  const together = [instructionId];
  return { ...payload, sender: sourceAddress, nonce: 0, together, signedAt: startMs, ...changes };
}

/** What the signer would know while nothing was signed yet. */
export function contextOf(
  instruction: CommittedInstruction,
  changes: Partial<PolicyContext> = {},
): PolicyContext {
  const wallet = wallets.find((one) => addressOf(one) === instruction.destination);
  return {
    chainId: 8453,
    pauseReason: null,
    sourceAddress: addressOf(ways[instruction.kind].from),
    senderAddress: addressOf(ways[instruction.kind].from),
    together: [instruction.id],
    executor,
    destinationOwner: wallet === undefined ? { kind: "outside" } : { kind: "ours", wallet },
    houseWallet,
    limits: new Map(tokens.map((rule) => [rule.address, limitsOf(rule)])),
    leftWithinHour: 0n,
    signedBefore: null,
    isCounted: false,
    isHistoryFull: false,
    maxFeeWei: 2_000_000_000_000_000n,
    maxTopupWei: 5_000_000_000_000_000n,
    ...changes,
  };
}

export interface House {
  signer: Signer;
  /** Commits an instruction, or replaces the one with the same id. */
  commit(instruction: CommittedInstruction): CommittedInstruction;
  /** Milliseconds; moves by hand. */
  clock: { now: number };
}

/** A signer with everything it needs and nothing of a node. */
export function makeHouse(changes: Partial<SignerOptions> = {}): House {
  const committed = new Map<string, CommittedInstruction>();
  const ours = new Map(wallets.map((wallet) => [addressOf(wallet), wallet]));
  const clock = { now: startMs };
  const signer = createSigner({
    seed,
    chainId: 8453,
    chainIsLocal: true,
    tokens,
    houseWallet,
    readInstruction: async (id) => committed.get(id) ?? null,
    findWallet: async (address) => ours.get(address) ?? null,
    now: () => clock.now,
    ...changes,
  });
  return {
    signer,
    clock,
    commit: (instruction) => {
      committed.set(instruction.id, instruction);
      return instruction;
    },
  };
}

/** The code with which a request is refused, or "signed". */
export async function codeOf(signing: Promise<unknown>): Promise<PolicyCode | "signed"> {
  try {
    await signing;
    return "signed";
  } catch (error) {
    if (error instanceof SigningRefusedError) return error.code;
    throw error;
  }
}

/** Between which wallets each kind of instruction may move money. */
import type { WalletPurpose } from "./derivation.ts";
import type { InstructionKind } from "./instruction.ts";

type Target = WalletPurpose | "outside" | "house" | "executor";
const everyPurpose: readonly WalletPurpose[] = ["vault", "gas", "deposit", "escrow"];

/** Which wallets each kind of instruction may take from, and where it may go. */
export const routes: Readonly<
  Record<InstructionKind, { from: readonly WalletPurpose[]; to: readonly Target[] }>
> = {
  // What strayed into another wallet of ours is collected from there when it turns out whose it is.
  collect: { from: ["deposit", "escrow", "gas"], to: ["vault"] },
  fund: { from: ["vault"], to: ["escrow"] },
  settle: { from: ["escrow"], to: ["vault"] },
  payout: { from: ["escrow"], to: ["outside"] },
  withdrawal: { from: ["vault"], to: ["outside"] },
  // Rake lies in the wallet where it was earned until it is swept.
  sweep: { from: ["escrow", "vault"], to: ["house"] },
  // A deposit that can't be credited may have landed in any of our wallets.
  refund: { from: everyPurpose, to: ["outside"] },
  topup: { from: ["gas"], to: ["vault", "deposit", "escrow"] },
  deploy: { from: ["gas"], to: ["executor"] },
};

/** True for the kinds that take money out of our wallets, the house wallet included: those that limits apply to. */
export function leavesOurWallets(kind: InstructionKind): boolean {
  return routes[kind].to.some((target) => target === "outside" || target === "house");
}

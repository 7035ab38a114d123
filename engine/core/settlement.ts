import { type AccountRef, checkTransfer, type PlannedTransfer, type TransferReason } from "./ledger.ts";
import { assert } from "./rejection.ts";
import { rakeOf } from "./split.ts";

export type Side = "red" | "blue";

export const sides: readonly Side[] = ["red", "blue"];

/** A result: one side won, nobody did, or the game doesn't count. The last two give the stakes back. */
export type Outcome = Side | "draw" | "no_contest";

/** Numbers the formula; a changed formula gets the next number, and the old one stays computable for ever. */
export type RuleVersion = 1;

export interface DuelInputs {
  stakes: Record<Side, bigint>;
  outcome: Outcome;
  rakeBps: number;
}

/** Σ payouts + rake + dust = Σ stakes. A side's payout includes its own stake. */
export interface DuelOutputs {
  payouts: Record<Side, bigint>;
  rake: bigint;
  dust: bigint;
}

/** Both players, the clock over a lone report, a clock over nothing, or the person who decided. */
export type DecidedBy = "agreement" | "clock" | "nobody_reported" | "dispute_clock" | "referee" | "operator";

/** The recomputable record of a result: `recomputeSettlement(settlement)` gives the same outputs to anyone. */
export interface Settlement {
  ruleVersion: RuleVersion;
  inputs: DuelInputs;
  outputs: DuelOutputs;
  decidedBy: DecidedBy;
  /** Where each side's payout goes, so that an undo takes it from there whatever the settings are by then. */
  paidTo: Record<Side, AccountRef>;
}

/**
 * Rule 1 for duels. The winner gets the own stake and the other one less the rake (`rakeOf`); a draw or no-contest gives
 * both stakes back and costs nothing. Nothing is divided, so a duel leaves no dust.
 */
export function settleDuel({ stakes, outcome, rakeBps }: DuelInputs): DuelOutputs {
  assert(stakes.red > 0n && stakes.blue > 0n, "both sides of a duel have a stake");
  if (outcome === "draw" || outcome === "no_contest") return { payouts: { ...stakes }, rake: 0n, dust: 0n };
  const pot = stakes.red + stakes.blue;
  const rake = rakeOf({ pot, losingStakes: stakes[otherSide(outcome)], rakeBps });
  const payouts = { red: 0n, blue: 0n, [outcome]: pot - rake };
  return { payouts, rake, dust: 0n };
}

/** The outputs that the inputs of a settlement lead to under the rule that it names. */
export function recomputeSettlement({
  ruleVersion,
  inputs,
}: Pick<Settlement, "ruleVersion" | "inputs">): DuelOutputs {
  assert(ruleVersion === 1, `rule ${ruleVersion} isn't known`);
  return settleDuel(inputs);
}

export function otherSide(side: Side): Side {
  return side === "red" ? "blue" : "red";
}

/**
 * Everything that a settlement moves out of the game's escrow. A payout to a wallet is a `payout`, into the pool a
 * `win`; stakes that come back go to the pool always.
 *
 * @param number counts the settlements of the game from 1, so that one after an undo has keys of its own
 */
export function settlementTransfers({
  gameId,
  token,
  settlement,
  number,
}: {
  gameId: string;
  token: string;
  settlement: Settlement;
  number: number;
}): PlannedTransfer[] {
  const { inputs, outputs, paidTo } = settlement;
  const from: AccountRef = { kind: "escrow.stakes", gameId };
  const plan = (what: string, to: AccountRef, amount: bigint, reason: TransferReason): PlannedTransfer => ({
    from,
    to,
    token,
    amount,
    reason,
    key: `game:${gameId}:settlement:${number}:${what}`,
  });
  const transfers = [
    ...sides.map((side) => plan(side, paidTo[side], outputs.payouts[side], payoutReason(settlement, side))),
    plan("rake", { kind: "house.rake", gameId }, outputs.rake, "rake"),
    plan("dust", { kind: "house.dust", gameId }, outputs.dust, "dust"),
  ].filter(({ amount }) => amount > 0n);

  const moved = transfers.reduce((sum, { amount }) => sum + amount, 0n);
  assert(moved === inputs.stakes.red + inputs.stakes.blue, `game ${gameId} settles exactly what is in it`);
  transfers.forEach(checkTransfer);
  return transfers;
}

function payoutReason({ inputs, paidTo }: Settlement, side: Side): TransferReason {
  if (inputs.outcome !== side) return "stake_returned";
  return paidTo[side].kind === "outside" ? "payout" : "win";
}

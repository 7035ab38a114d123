import type { AccountRef, PlannedTransfer } from "./ledger.ts";
import type { ProposalState } from "./proposal.ts";
import type { Side } from "./settlement.ts";

/** Reserves the proposer's stake for as long as the proposal stands. */
export function hold({ id, proposerId, token, proposerStake }: ProposalState): PlannedTransfer {
  return {
    from: available(proposerId),
    to: held(proposerId),
    token,
    amount: proposerStake,
    reason: "hold",
    key: `proposal:${id}:hold`,
  };
}

/** Gives the proposer's hold back. A proposal ends once, so there is one way to end it and one key. */
export function release({ id, proposerId, token, proposerStake }: ProposalState): PlannedTransfer {
  return {
    from: held(proposerId),
    to: available(proposerId),
    token,
    amount: proposerStake,
    reason: "release",
    key: `proposal:${id}:release`,
  };
}

/** Reserves the stake of whoever takes the proposal, so that both stakes are captured in the same way. */
export function takerHold({ id, token, takerStake }: ProposalState, takerId: string): PlannedTransfer {
  return {
    from: available(takerId),
    to: held(takerId),
    token,
    amount: takerStake,
    reason: "hold",
    key: `proposal:${id}:take`,
  };
}

/** Turns one side's hold into its stake in the game's escrow. */
export function capture({
  side,
  playerId,
  stake,
  gameId,
  token,
}: {
  side: Side;
  playerId: string;
  stake: bigint;
  gameId: string;
  token: string;
}): PlannedTransfer {
  return {
    from: held(playerId),
    to: { kind: "escrow.stakes", gameId },
    token,
    amount: stake,
    reason: "capture",
    key: `game:${gameId}:capture:${side}`,
  };
}

function available(playerId: string): AccountRef {
  return { kind: "player.available", playerId };
}

function held(playerId: string): AccountRef {
  return { kind: "player.held", playerId };
}

import type {
  CommandOf,
  ProposalChange,
  ProposalDecision,
  ProposalEvent,
  ProposalState,
} from "./proposal.ts";
import { checkedProposal } from "./proposal-rules.ts";
import { capture, hold, release, takerHold } from "./proposal-transfers.ts";
import { assert, refused } from "./rejection.ts";

export function propose(
  state: ProposalState | null,
  { type: _, by, proposalId, ...offer }: CommandOf<"propose">,
  nowMs: number,
): ProposalDecision {
  assert(state === null, "a proposal is made once");
  const draft: ProposalState = {
    ...offer,
    id: proposalId,
    parentId: null,
    rootId: proposalId,
    proposerId: by,
    status: "pending",
  };
  const checked = checkedProposal(draft, nowMs);
  if (!checked.ok) return checked;
  return done(checked.state, {
    events: [{ type: "proposed", proposalId, by, takerId: draft.takerId }],
    transfers: [hold(checked.state)],
  });
}

/** Red is the proposer, blue the taker, always. An open offer that this grew from ends with it. */
export function accept(state: ProposalState, { by, gameId, root }: CommandOf<"accept">): ProposalDecision {
  assert((root?.id ?? state.id) === state.rootId, "the root of a proposal comes with its acceptance");
  // An open offer names nobody, so this wasn't known when it was made.
  if (by === state.refereeId) return refused("referee_is_player", "You are the referee of this offer.");
  const superseded: ProposalState | null =
    root !== null && root.takerId === null && root.status === "pending"
      ? { ...root, status: "countered" }
      : null;
  const { token } = state;
  const taken: ProposalState = { ...state, takerId: by, status: "accepted" };
  const events: ProposalEvent[] = [{ type: "accepted", proposalId: state.id, by, gameId }];
  if (superseded !== null) events.push({ type: "superseded", proposalId: superseded.id, by, gameId });
  return done(taken, {
    superseded,
    events,
    transfers: [
      ...(superseded === null ? [] : [release(superseded)]),
      takerHold(state, by),
      capture({ side: "red", playerId: state.proposerId, stake: state.proposerStake, gameId, token }),
      capture({ side: "blue", playerId: by, stake: state.takerStake, gameId, token }),
    ],
  });
}

/**
 * A counter turns the table: whoever counters is the proposer of a new offer to the other. It ends an offer that was
 * made to them by name. An open offer stays: else any stranger could knock out anybody's public offer.
 */
export function counter(
  state: ProposalState,
  { by, proposalId, expiresAtMs, proposerStake, takerStake, terms }: CommandOf<"counter">,
  nowMs: number,
): ProposalDecision {
  const draft: ProposalState = {
    ...state,
    proposerStake,
    takerStake,
    terms,
    expiresAtMs,
    id: proposalId,
    parentId: state.id,
    proposerId: by,
    takerId: state.proposerId,
  };
  const checked = checkedProposal(draft, nowMs);
  if (!checked.ok) return checked;
  const isOpen = state.takerId === null;
  return done(isOpen ? state : { ...state, status: "countered" }, {
    created: checked.state,
    events: [{ type: "countered", proposalId: state.id, by, counterId: proposalId }],
    transfers: [...(isOpen ? [] : [release(state)]), hold(checked.state)],
  });
}

export function end(
  state: ProposalState,
  status: "declined" | "cancelled" | "expired",
  event: ProposalEvent,
): ProposalDecision {
  return done({ ...state, status }, { events: [event], transfers: [release(state)] });
}

function done(
  state: ProposalState,
  rest: Pick<ProposalChange, "events" | "transfers"> & Partial<ProposalChange>,
): ProposalChange {
  return { ok: true, state, created: null, superseded: null, ...rest };
}

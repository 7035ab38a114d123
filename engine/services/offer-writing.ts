/** What a decision about an offer leaves in the database: its row, its counter, its transfers, its events. */
import { type Result, reject } from "../contract/problems.ts";
import type { Proposal } from "../contract/wager.ts";
import {
  decideProposal,
  type ProposalChange,
  type ProposalCommand,
  type ProposalState,
} from "../core/proposal.ts";
import type { Tx } from "../db/pool.ts";
import { insertProposal, updateProposal } from "../db/proposals.ts";
import type { Context } from "./context.ts";
import { post } from "./ledger.ts";
import { tell } from "./outbox.ts";
import { balanceTellings } from "./pools.ts";
import { viewProposals } from "./proposal-view.ts";
import { proposalTelling } from "./wager-tellings.ts";

/** A player has at most so many offers open at a time. */
export const mostPendingOffers = 1_000;

/** Gives a command that only ends an offer (decline, cancel, expire) to one that is locked. */
export async function applyToOffer(
  context: Context,
  tx: Tx,
  before: ProposalState,
  command: ProposalCommand,
): Promise<Result<Proposal>> {
  const nowMs = context.clock();
  const decision = decideProposal(before, command, nowMs);
  if (!decision.ok) return decision;
  const posted = await post(tx, decision.transfers, { cause: `proposal:${before.id}` });
  // What is released was held by this offer, so that it can't be short.
  if (!posted.ok) throw new Error(`offer ${before.id} can't give back what it holds`);
  return writeOffer(context, tx, { before, decision, nowMs });
}

/** Writes a change of one offer and what it made of it, and tells of both. Answers the new one, if there is one. */
export async function writeOffer(
  context: Context,
  tx: Tx,
  { before, decision, nowMs }: { before: ProposalState; decision: ProposalChange; nowMs: number },
): Promise<Result<Proposal>> {
  const { state, created } = decision;
  const at = new Date(nowMs);
  const hasChanged = state !== before;
  if (hasChanged) await updateProposal(tx, { state, decidedAt: at });
  if (
    created !== null &&
    !(await insertProposal(tx, { state: created, createdAt: at, mostPending: mostPendingOffers }))
  )
    return tooManyOffers();
  const ids = [...(hasChanged ? [state.id] : []), ...(created === null ? [] : [created.id])];
  const views = await viewProposals(context, tx, ids);
  const players = [before.proposerId, ...(created === null ? [] : [created.proposerId])];
  await tell(tx, [
    ...views.map((view) =>
      proposalTelling(view, { isPublic: before.takerId === null && view.id === state.id }),
    ),
    ...balanceTellings(players, before.token),
  ]);
  const value = views.at(-1);
  if (value === undefined) throw new Error(`nothing changed in offer ${before.id}`);
  return { ok: true, value };
}

/** The limit is reached. */
export const tooManyOffers = (): Result<never> =>
  reject("too_many_requests", {
    message: `You have ${mostPendingOffers} offers open. Call one off first.`,
  });

/** Offers: made, countered, passed on, called off, lapsed. Taking one is in `duel-start.ts`. */
import { randomUUID } from "node:crypto";
import { type Result, reject } from "../contract/problems.ts";
import type { Proposal } from "../contract/wager.ts";
import {
  decideProposal,
  type ProposalChange,
  type ProposalCommand,
  type ProposalState,
} from "../core/proposal.ts";
import type { Tx } from "../db/pool.ts";
import { insertProposal, lockProposal, readOfferParties, updateProposal } from "../db/proposals.ts";
import type { Context } from "./context.ts";
import { post } from "./ledger.ts";
import { requireSwitchOn } from "./operators.ts";
import { tell } from "./outbox.ts";
import { findPlayer, type PlayerQuery } from "./players.ts";
import { balanceTellings } from "./pools.ts";
import { proposalView, viewProposals } from "./proposal-view.ts";
import { explainShortfall } from "./shortfall.ts";
import { listedTokens } from "./tokens.ts";
import { changeOnce, type Idempotency } from "./transaction.ts";
import { proposalTelling } from "./wager-tellings.ts";

export { accept } from "./duel-start.ts";
export { listProposals, readProposal, readProposalChain } from "./proposal-view.ts";

/** A player has at most so many offers open at a time. */
export const mostPendingOffers = 1_000;

/** What whoever asks puts up and wants the other side to; stakes in base units. */
export interface OfferTerms {
  proposerStake: bigint;
  takerStake: bigint;
  terms: string;
  /** How long the offer stands, 60 to 604,800. */
  lapseSeconds: number;
}
export interface NewOffer extends OfferTerms {
  by: string;
  idempotency: Idempotency;
  /** null: open to anyone. */
  opponent: PlayerQuery | null;
  token: string;
  /** From acceptance until the game should be over. */
  expectedMinutes: number;
  /** Handle of the player who decides a dispute; absent: an operator does. */
  referee?: string | undefined;
}

/**
 * Makes an offer and holds the proposer's stake.
 * @returns `token_unknown`, `switched_off`, `player_unknown` (with the fact `suggestion`), `insufficient_funds` (with the
 * facts `free` and `short`), `too_many_requests` beyond `mostPendingOffers`, or what `core/proposal` has against it.
 */
export async function propose(context: Context, offer: NewOffer): Promise<Result<Proposal>> {
  const tokens = await listedTokens(context.pool);
  if (!tokens.has(offer.token)) return reject("token_unknown", { field: "token" });
  return changeOnce(context, offer.idempotency, async (tx) => {
    const parties = await partiesOf(tx, offer);
    if (!parties.ok) return parties;
    const { proposerHandle, opponent, referee } = parties.value;
    const nowMs = context.clock();
    const decision = decideProposal(
      null,
      {
        type: "propose",
        by: offer.by,
        proposalId: randomUUID(),
        takerId: opponent?.id ?? null,
        token: offer.token,
        refereeId: referee?.id ?? null,
        expectedMinutes: offer.expectedMinutes,
        rakeBps: context.settings.rakeBps,
        expiresAtMs: nowMs + offer.lapseSeconds * 1_000,
        proposerStake: offer.proposerStake,
        takerStake: offer.takerStake,
        terms: offer.terms,
      },
      nowMs,
    );
    if (!decision.ok) return decision;
    const { state } = decision;
    const posted = await post(tx, decision.transfers, { cause: `proposal:${state.id}` });
    if (!posted.ok) return explainShortfall(tokens, posted.rejection, "proposerStake");
    const createdAt = new Date(nowMs);
    if (!(await insertProposal(tx, { state, createdAt, mostPending: mostPendingOffers })))
      return tooManyOffers();
    const value = proposalView(tokens, {
      state,
      createdAt,
      proposerHandle,
      takerHandle: opponent?.handle ?? null,
      refereeHandle: referee?.handle ?? null,
      gameId: null,
    });
    await tell(tx, [
      proposalTelling(value, { isPublic: state.takerId === null }),
      ...balanceTellings([state.proposerId], state.token),
    ]);
    return { ok: true, value };
  });
}

/**
 * Offers other terms instead: whoever counters becomes the proposer. The stake of an offer that was made to them by
 * name goes back to its proposer; an open one stays.
 */
export async function counter(
  context: Context,
  offer: OfferTerms & { by: string; idempotency: Idempotency; proposalId: string },
): Promise<Result<Proposal>> {
  const tokens = await listedTokens(context.pool);
  return changeOnce(context, offer.idempotency, async (tx) => {
    const isOn = await requireSwitchOn(tx, "proposals");
    if (!isOn.ok) return isOn;
    const locked = await lockProposal(tx, { id: offer.proposalId, withRoot: false });
    if (locked === null) return reject("not_found");
    // After the lock: whoever waited for it is late by as much.
    const nowMs = context.clock();
    const { by, proposerStake, takerStake, terms } = offer;
    const expiresAtMs = nowMs + offer.lapseSeconds * 1_000;
    const decision = decideProposal(
      locked.state,
      { type: "counter", by, proposalId: randomUUID(), proposerStake, takerStake, terms, expiresAtMs },
      nowMs,
    );
    if (!decision.ok) return decision;
    const posted = await post(tx, decision.transfers, { cause: `proposal:${offer.proposalId}` });
    if (!posted.ok) return explainShortfall(tokens, posted.rejection, "proposerStake");
    return write(context, tx, { before: locked.state, decision, nowMs });
  });
}

type Answer = { by: string; idempotency: Idempotency; proposalId: string };

/** Passes on an offer; its stake goes back. */
export const decline = (context: Context, answer: Answer): Promise<Result<Proposal>> =>
  changeOnce(context, answer.idempotency, (tx) =>
    endOffer(context, tx, answer.proposalId, { type: "decline", by: answer.by }),
  );

/** Calls one's own offer off; the stake comes back. */
export const cancel = (context: Context, answer: Answer): Promise<Result<Proposal>> =>
  changeOnce(context, answer.idempotency, (tx) =>
    endOffer(context, tx, answer.proposalId, { type: "cancel", by: answer.by }),
  );

async function endOffer(
  context: Context,
  tx: Tx,
  proposalId: string,
  command: ProposalCommand,
): Promise<Result<Proposal>> {
  const locked = await lockProposal(tx, { id: proposalId, withRoot: false });
  return locked === null ? reject("not_found") : applyToOffer(context, tx, locked.state, command);
}

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
  return write(context, tx, { before, decision, nowMs });
}

/** Writes a change of one offer and what it made of it, and tells of both. Answers the new one, if there is one. */
async function write(
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

const tooManyOffers = (): Result<never> =>
  reject("too_many_requests", {
    message: `You have ${mostPendingOffers} offers open. Call one off first.`,
  });

type Person = { id: string; handle: string };
interface Parties {
  proposerHandle: string;
  opponent: Person | null;
  referee: Person | null;
}

/** Who is meant, read in one statement; the slow way only to say what is wrong. */
async function partiesOf(tx: Tx, { by, opponent, referee }: NewOffer): Promise<Result<Parties>> {
  const row = await readOfferParties(tx, {
    proposerId: by,
    opponentHandle: opponent !== null && "handle" in opponent ? opponent.handle : null,
    opponentAddress: opponent !== null && "address" in opponent ? opponent.address : null,
    refereeHandle: referee ?? null,
  });
  if (row === null) throw new Error(`player ${by} is gone`);
  if (!row.offers_on) return reject("switched_off");
  const person = (id: string | null, handle: string | null): Person | null =>
    id === null || handle === null ? null : { id, handle };
  const found = {
    opponent: person(row.opponent_id, row.opponent_handle),
    referee: person(row.referee_id, row.referee_handle),
  };
  if (opponent !== null && found.opponent === null) return unknown(tx, opponent, "opponent");
  if (referee !== undefined && found.referee === null) return unknown(tx, { handle: referee }, "referee");
  return { ok: true, value: { proposerHandle: row.proposer_handle, ...found } };
}

async function unknown(tx: Tx, query: PlayerQuery, field: string): Promise<Result<never>> {
  const found = await findPlayer(tx, query);
  // Found by now: registered in this very moment.
  if (found.ok) return reject("player_unknown", { field });
  return { ok: false, rejection: { ...found.rejection, field } };
}

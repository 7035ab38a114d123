/** Offers: made, countered, passed on, called off, lapsed. Taking one is in `duel-start.ts`. */
import { randomUUID } from "node:crypto";
import { type Result, reject } from "../contract/problems.ts";
import type { Proposal } from "../contract/wager.ts";
import { decideProposal, type ProposalCommand } from "../core/proposal.ts";
import { type Tx, together } from "../db/pool.ts";
import { insertProposal, lockProposal } from "../db/proposals.ts";
import type { Context } from "./context.ts";
import { post } from "./ledger.ts";
import { partiesOf } from "./offer-parties.ts";
import { applyToOffer, mostPendingOffers, tooManyOffers, writeOffer } from "./offer-writing.ts";
import { requireSwitchOn } from "./operators.ts";
import { tell } from "./outbox.ts";
import type { PlayerQuery } from "./players.ts";
import { balanceTellings } from "./pools.ts";
import { proposalView } from "./proposal-view.ts";
import { explainShortfall } from "./shortfall.ts";
import { knownTokens, requireListed } from "./tokens.ts";
import { changeOnce, type Idempotency } from "./transaction.ts";
import { proposalTelling } from "./wager-tellings.ts";

export { accept } from "./duel-start.ts";
export { applyToOffer, mostPendingOffers } from "./offer-writing.ts";
export { listProposals, readProposal, readProposalChain } from "./proposal-view.ts";

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
 * @returns `token_unknown`, `token_not_listed`, `switched_off`, `player_unknown` (with the fact `suggestion`), `insufficient_funds` (with the
 * facts `free` and `short`), `too_many_requests` beyond `mostPendingOffers`, or what `core/proposal` has against it.
 */
export async function propose(context: Context, offer: NewOffer): Promise<Result<Proposal>> {
  const tokens = await knownTokens(context.pool);
  return changeOnce(context, offer.idempotency, async (tx) => {
    const listed = requireListed(tokens, offer.token);
    if (!listed.ok) return listed;
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
    const createdAt = new Date(nowMs);
    const [posted, isOneMore] = await together(tx, () => [
      post(tx, decision.transfers, { cause: `proposal:${state.id}` }),
      insertProposal(tx, { state, createdAt, mostPending: mostPendingOffers }),
    ]);
    if (!posted.ok) return explainShortfall(tokens, posted.rejection, "proposerStake");
    if (!isOneMore) return tooManyOffers();
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
  const tokens = await knownTokens(context.pool);
  return changeOnce(context, offer.idempotency, async (tx) => {
    const isOn = await requireSwitchOn(tx, "proposals");
    if (!isOn.ok) return isOn;
    const locked = await lockProposal(tx, { id: offer.proposalId, withRoot: false });
    if (locked === null) return reject("not_found");
    const listed = requireListed(tokens, locked.state.token);
    if (!listed.ok) return listed;
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
    return writeOffer(context, tx, { before: locked.state, decision, nowMs });
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

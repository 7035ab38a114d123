/** Taking an offer: the other stake is held, both are captured into a wallet of their own, and the game begins. */
import { randomUUID } from "node:crypto";
import { type Result, reject } from "../contract/problems.ts";
import type { Game, Proposal } from "../contract/wager.ts";
import { startGame } from "../core/game.ts";
import { decideProposal, type ProposalChange } from "../core/proposal.ts";
import { coverGame, insertGame } from "../db/games.ts";
import type { Tx } from "../db/pool.ts";
import { lockProposal, updateProposal } from "../db/proposals.ts";
import { claimSpareWallet } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { viewGames } from "./game-view.ts";
import { post } from "./ledger.ts";
import { requireSwitchOn } from "./operators.ts";
import { tell } from "./outbox.ts";
import { balanceTellings } from "./pools.ts";
import { viewProposals } from "./proposal-view.ts";
import { explainShortfall } from "./shortfall.ts";
import { knownTokens } from "./tokens.ts";
import { changeOnce, type Idempotency } from "./transaction.ts";
import { gameTelling, proposalTelling } from "./wager-tellings.ts";
import { addSpareWallet } from "./wallets.ts";

/** Others took the wallets that were ready: begin anew when there are more. Nothing of the transaction stays. */
class NoSpareWallet extends Error {}
const mostTries = 10;

export interface Acceptance {
  by: string;
  idempotency: Idempotency;
  proposalId: string;
}

/**
 * Takes an offer.
 * @returns `not_found`, `switched_off`, `not_allowed`, `proposal_not_pending`, `proposal_expired`, `referee_is_player`,
 * `insufficient_funds` with the facts `free` and `short`, or `overloaded` when wallets can't be made fast enough.
 */
export async function accept(
  context: Context,
  acceptance: Acceptance,
): Promise<Result<{ proposal: Proposal; gameId: string }>> {
  for (let tries = 1; tries <= mostTries; tries += 1) {
    try {
      return await changeOnce(context, acceptance.idempotency, (tx) => take(context, tx, acceptance));
    } catch (error) {
      if (!(error instanceof NoSpareWallet)) throw error;
      // Outside of the transaction: an address is derived from a committed row only, and never while rows are locked.
      await addSpareWallet(context, "escrow");
    }
  }
  return reject("overloaded");
}

async function take(
  context: Context,
  tx: Tx,
  { by, proposalId }: Acceptance,
): Promise<Result<{ proposal: Proposal; gameId: string }>> {
  const isOn = await requireSwitchOn(tx, "proposals");
  if (!isOn.ok) return isOn;
  const locked = await lockProposal(tx, { id: proposalId, withRoot: true });
  if (locked === null) return reject("not_found");
  // After the lock: whoever waited for it is late by as much.
  const nowMs = context.clock();
  const gameId = randomUUID();
  const decision = decideProposal(locked.state, { type: "accept", by, gameId, root: locked.root }, nowMs);
  if (!decision.ok) return decision;
  const started = await startDuel(context, tx, { decision, gameId, nowMs });
  if (!started.ok) return started;

  const { state, superseded } = decision;
  const ids = [state.id, ...(superseded === null ? [] : [superseded.id])];
  const [proposal, openOffer] = await viewProposals(context, tx, ids);
  if (proposal === undefined) throw new Error(`proposal ${state.id} is gone`);
  await tell(tx, [
    proposalTelling(proposal, { isPublic: locked.state.takerId === null }),
    ...(openOffer === undefined ? [] : [proposalTelling(openOffer, { isPublic: true })]),
    gameTelling(started.value),
    ...balanceTellings([state.proposerId, by], state.token),
  ]);
  return { ok: true, value: { proposal, gameId } };
}

async function startDuel(
  context: Context,
  tx: Tx,
  { decision, gameId, nowMs }: { decision: ProposalChange; gameId: string; nowMs: number },
): Promise<Result<Game>> {
  const { state: proposal, superseded, transfers } = decision;
  const decidedAt = new Date(nowMs);
  await updateProposal(tx, { state: proposal, decidedAt });
  if (superseded !== null) await updateProposal(tx, { state: superseded, decidedAt });
  const wallet = await claimSpareWallet(tx, { purpose: "escrow", gameId });
  if (wallet === null) throw new NoSpareWallet();
  // Where winnings go is asked when there are some.
  const seat = { winningsTo: "pool", payoutAddress: null } as const;
  const state = startGame({
    gameId,
    proposal,
    seats: { red: seat, blue: seat },
    clocks: context.settings.clocks,
    nowMs,
  });
  await insertGame(tx, {
    state,
    proposalId: proposal.id,
    escrowWalletId: wallet.id,
    terms: proposal.terms,
  });
  // One cause for both stakes: the pot moves into its wallet at once.
  const posted = await post(tx, transfers, { cause: `game:${gameId}:fund`, gameId });
  if (!posted.ok) {
    return explainShortfall(await knownTokens(context.pool), posted.rejection, "takerStake");
  }
  await coverGame(tx, state);
  const [game] = await viewGames(context, tx, [gameId]);
  if (game === undefined) throw new Error(`game ${gameId} is gone`);
  return { ok: true, value: game };
}

/** What a player is told of an offer or a game while on another page: whatever asks for an answer, and how it ended. */
import type { Game, Proposal } from "../../../engine/contract/wager.ts";
import { claimSaid, otherSide, sideOfPlayer } from "../games/said.ts";
import { exact, withSymbol } from "../money/show.ts";
import { clockTime, length } from "../time/say.ts";
import type { Told } from "./news.ts";
import { isReportForPlayer } from "./waiting.ts";

export function offerNews(proposal: Proposal, playerId: string): Told | null {
  const { state, proposer, taker, proposerStake, takerStake } = proposal;
  if (taker === null) return null;
  if (state === "pending" && taker.id === playerId) {
    const how = proposal.parentId === null ? "offers you" : "counters with";
    const seconds = (Date.parse(proposal.expiresAt) - Date.parse(proposal.createdAt)) / 1_000;
    return {
      text: `${proposer.handle} ${how} ${exact(proposerStake)} to ${withSymbol(takerStake)}: answer within ${length(Math.round(seconds))}.`,
      asks: true,
      link: { to: "/play" },
    };
  }
  if (proposer.id !== playerId) return null;
  if (state === "declined")
    return told(`${taker.handle} passed. ${withSymbol(proposerStake)} of yours is free again.`);
  if (state === "accepted")
    return told(`${taker.handle} took it. ${withSymbol(proposerStake)} of yours is locked.`, proposal.gameId);
  return null;
}

export function gameNews(game: Game, playerId: string): Told | null {
  const side = sideOfPlayer(game, playerId);
  if (side === null) return null;
  const theirs = game[otherSide(side)];
  const until = game.deadline === null ? null : clockTime(game.deadline.at, Date.now());
  if (isReportForPlayer(game, playerId) && theirs.report !== null) {
    const claim = `${theirs.player.handle} says ${claimSaid(otherSide(side), theirs.report)}.`;
    return { ...told(`${claim} Answer by ${until} or it counts.`, game.id), asks: true };
  }
  if (game.state === "disputed") {
    const text = `You and ${theirs.player.handle} disagree. ${withSymbol(game.pot)} stays locked. Say what happened by ${until}.`;
    return { ...told(text, game.id), asks: true };
  }
  const ending = endingOf(game, playerId);
  if (ending === null) return null;
  return told(game.decision === null ? ending : `${game.decision.by} decided. ${ending}`, game.id);
}

/** How it ended for the player; null while nothing of it is there, since a payout over the chain tells of itself. */
function endingOf(game: Game, playerId: string): string | null {
  const side = sideOfPlayer(game, playerId);
  if (side === null || (game.state !== "settled" && game.state !== "refunded")) return null;
  const payout = game.payouts.find(({ player }) => player.id === playerId);
  if (game.outcome === otherSide(side))
    return `${game[otherSide(side)].player.handle} won. You lost ${withSymbol(game[side].stake)}.`;
  if (payout === undefined) return null;
  if (game.outcome !== side) return `${withSymbol(payout.money)} is back in your pool.`;
  if (payout.to === "pool") return `Paid: ${withSymbol(payout.money)} to your pool.`;
  return game.decision === null ? null : `You won. ${withSymbol(payout.money)} goes to your wallet.`;
}

const told = (text: string, gameId: string | null = null): Told => ({
  text,
  asks: false,
  link: gameId === null ? null : { to: "/g/$id", params: { id: gameId } },
});

/** What waits for the player's own answer: offers made to them, and reports that count if nobody objects. */
import { useQuery } from "@tanstack/react-query";
import type { Game, Proposal } from "../../../engine/contract/wager.ts";
import { ownGamesQuery, ownProposalsQuery } from "../api/queries.ts";
import { otherSide, sideOfPlayer } from "../games/said.ts";
import { useNow } from "../time/clock.tsx";

export interface Waiting {
  offers: Proposal[];
  games: Game[];
}

/** The other side has reported and this player hasn't: silence lets it count. */
export function isReportForPlayer(game: Game, playerId: string): boolean {
  const side = sideOfPlayer(game, playerId);
  return (
    game.state === "reported" &&
    side !== null &&
    game[side].report === null &&
    game[otherSide(side)].report !== null
  );
}

export function waitingFor(
  playerId: string,
  { proposals, games }: { proposals: readonly Proposal[]; games: readonly Game[] },
  nowMs: number,
): Waiting {
  return {
    offers: proposals.filter(
      ({ state, taker, expiresAt }) =>
        state === "pending" && taker?.id === playerId && Date.parse(expiresAt) > nowMs,
    ),
    games: games.filter((game) => isReportForPlayer(game, playerId)),
  };
}

/** Reads nothing by itself: the lists come with the snapshot of the player's own room, or with the page of them. */
export function useWaiting(playerId: string): Waiting {
  const proposals = useQuery({ ...ownProposalsQuery, enabled: false }).data ?? [];
  const games = useQuery({ ...ownGamesQuery, enabled: false }).data ?? [];
  return waitingFor(playerId, { proposals, games }, useNow());
}

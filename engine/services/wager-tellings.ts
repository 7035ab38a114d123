/** Who hears of offers and games. */
import type { Game, Proposal } from "../contract/wager.ts";
import { rooms, type Telling } from "./outbox.ts";

/** Both players and their live rooms; the arena when the offer is, or was until now, open to anyone. */
export function proposalTelling(proposal: Proposal, { isPublic }: { isPublic: boolean }): Telling {
  const players = [proposal.proposer.id, ...(proposal.taker === null ? [] : [proposal.taker.id])];
  return {
    rooms: [...players.map(rooms.player), ...players.map(rooms.live), ...(isPublic ? [rooms.arena] : [])],
    name: "proposal:update",
    data: { proposal },
  };
}

/** Both players, their live rooms, the game's own room, the arena, and the referee, who may have to decide it. */
export function gameTelling(game: Game): Telling {
  const players = [game.red.player.id, game.blue.player.id];
  return {
    rooms: [
      ...players.map(rooms.player),
      ...(game.referee === null ? [] : [rooms.player(game.referee.id)]),
      rooms.game(game.id),
      ...players.map(rooms.live),
      rooms.arena,
    ],
    name: "game:update",
    data: { game },
  };
}

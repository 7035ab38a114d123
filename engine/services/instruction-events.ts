/** Tells players and rooms how far a chain transfer has come. */
import type { Game, Payout } from "../contract/wager.ts";
import { type InstructionSubject, readSubjects } from "../db/instruction-subjects.ts";
import type { Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { viewGames } from "./game-view.ts";
import { rooms, type Telling, tell } from "./outbox.ts";
import { tellBalances } from "./pools.ts";
import { viewWithdrawals } from "./withdrawals.ts";

/** For instructions that have just moved to another state. */
export async function tellInstructions(context: Context, tx: Tx, instructionIds: string[]): Promise<void> {
  if (instructionIds.length === 0) return;
  const subjects = await readSubjects(tx, instructionIds);
  const games = new Map((await viewGames(context, tx, gameIdsOf(subjects))).map((game) => [game.id, game]));
  const withdrawals = await viewWithdrawals(context, tx, {
    instructionIds: subjects.filter(({ kind }) => kind === "withdrawal").map(({ id }) => id),
  });
  await tell(tx, [
    ...subjects.flatMap((subject) =>
      gameTellings(subject, subject.gameId === null ? undefined : games.get(subject.gameId)),
    ),
    ...withdrawals.map(
      ({ playerId, withdrawal }): Telling => ({
        rooms: [rooms.player(playerId)],
        name: "withdrawal:update",
        data: { withdrawal },
      }),
    ),
  ]);
  // What leaves the house is "on its way" until it is final.
  for (const { playerId, token, kind } of subjects) {
    if (playerId !== null && token !== null && (kind === "withdrawal" || kind === "payout"))
      await tellBalances(tx, [playerId], token);
  }
}

const gameIdsOf = (subjects: InstructionSubject[]): string[] => [
  ...new Set(
    subjects.flatMap(({ kind, gameId }) =>
      gameId !== null && (kind === "fund" || kind === "payout") ? [gameId] : [],
    ),
  ),
];

function gameTellings({ kind, state }: InstructionSubject, game: Game | undefined): Telling[] {
  if (game === undefined) return [];
  const players = [game.red.player.id, game.blue.player.id];
  const everywhere = [...players.map(rooms.player), rooms.game(game.id), ...players.map(rooms.live)];
  if (kind === "fund")
    return [{ rooms: everywhere, name: "game:pool-update", data: { gameId: game.id, escrow: game.escrow } }];
  return game.payouts
    .filter(({ to }) => to === "wallet")
    .flatMap((payout: Payout): Telling[] => {
      if (state === "final")
        return [{ rooms: everywhere, name: "game:payout-complete", data: { gameId: game.id, payout } }];
      return [{ rooms: everywhere, name: "game:payout-sent", data: { gameId: game.id, payout } }];
    });
}

/** How a game is talked about. */
import type { Outcome, Side } from "../../../engine/contract/primitives.ts";
import type { Game, Payout } from "../../../engine/contract/wager.ts";
import { exact, withSymbol } from "../money/show.ts";

export const sideOfPlayer = (game: Game, playerId: string | null): Side | null =>
  playerId === null
    ? null
    : game.red.player.id === playerId
      ? "red"
      : game.blue.player.id === playerId
        ? "blue"
        : null;

export const otherSide = (side: Side): Side => (side === "red" ? "blue" : "red");

/** "marcus won", "A draw", "No contest"; "You won" for the viewer's own side. */
export function outcomeSaid(game: Game, outcome: Outcome, viewerSide: Side | null = null): string {
  switch (outcome) {
    case "draw":
      return "A draw";
    case "no_contest":
      return "No contest";
    default:
      return outcome === viewerSide ? "You won" : `${game[outcome].player.handle} won`;
  }
}

/** What a side claims, after "marcus says": "they won", "you won" when it gives in, "it was a draw". */
export function claimSaid(bySide: Side, claim: Outcome): string {
  if (claim === "draw") return "it was a draw";
  if (claim === "no_contest") return "it was no contest";
  return claim === bySide ? "they won" : "you won";
}

/** What one line in a list says of a game. */
export function stateSaid(game: Game): string {
  switch (game.state) {
    case "playing":
      return "Under way";
    case "reported":
      return "Result reported";
    case "disputed":
      return "Disputed";
    case "refunded":
      return "Refunded";
    case "settled":
      return game.outcome === null ? "Settled" : outcomeSaid(game, game.outcome);
  }
}

/** What happens when the clock runs out: "If nobody objects by 21:40, marcus is paid 57.00." without the time. */
export function consequenceSaid(game: Game): { before: string; after: string } | null {
  if (game.deadline === null) return null;
  if (game.state === "reported") {
    const claim = game.red.report ?? game.blue.report;
    const winner = claim === "red" || claim === "blue" ? game[claim] : null;
    return winner === null
      ? { before: "If nobody objects by", after: "both stakes go back." }
      : {
          before: "If nobody objects by",
          after: `${winner.player.handle} is paid ${exact(winner.winGets)}.`,
        };
  }
  if (game.state === "disputed") {
    return { before: "If nobody has decided by", after: "both stakes go back." };
  }
  return { before: "If nobody reports by", after: "both stakes go back." };
}

/** Where a payout is. "Won, sending" is a state of its own until the money is there. */
export function payoutSaid(payout: Payout): string {
  const sum = withSymbol(payout.money);
  if (payout.to === "pool") return `${sum} is in the pool.`;
  switch (payout.state) {
    case "waiting":
      return `${sum}: won, sending.`;
    case "sent":
      return `${sum}: won, sending. It is on its way to the wallet.`;
    case "mined":
      return `${sum} is in a block.`;
    case "final":
      return `${sum} is in the wallet.`;
    case "parked":
      return `${sum} couldn't be sent. It waits here, and an operator looks at it.`;
    case "cancelled":
      return `${sum} was taken back before it left.`;
  }
}

/** True while something of the pot is on its way to an outside wallet. */
export const isSending = (game: Game): boolean =>
  game.payouts.some(
    ({ to, state }) => to === "wallet" && (state === "waiting" || state === "sent" || state === "mined"),
  );

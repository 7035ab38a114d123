/** How a deposit is talked about. */
import type { Deposit } from "../../../engine/contract/account.ts";

/** How many of the four stages a deposit has reached. */
export function stagesReached({ state, posted }: Pick<Deposit, "state" | "posted">): number {
  if (state === "orphaned") return 0;
  if (state === "final") return 4;
  return posted ? 3 : 2;
}

/** What may be done with the money now; `isListed`: whether its token is in play. */
export function allowedNow({ state }: Pick<Deposit, "state">, isListed: boolean): string {
  switch (state) {
    case "seen":
      return isListed
        ? "In a block. Yours to play with once it is deep enough for its size."
        : "In a block. Yours once it is final.";
    case "playable":
      return `${isListed ? "Play with it now. " : ""}It can be withdrawn once it is final.`;
    case "final":
      return isListed ? "Play with it or withdraw it." : "Withdraw it. Its token was taken out of play.";
    case "orphaned":
      return "Its block fell out of the chain. It comes back by itself when it is mined again.";
  }
}

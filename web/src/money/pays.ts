import type { Game } from "../../../engine/contract/wager.ts";
import { formatAmount } from "../../../engine/core/money.ts";

/** What one unit on this side comes back as, cut to two digits: "1.38×". */
export function paysAbout({ stake, winGets }: Game["red"]): string {
  const hundredths = (BigInt(winGets.amount) * 100n) / BigInt(stake.amount);
  return `${formatAmount(hundredths, 2)}×`;
}

/** Amounts as people read them. Base units come in, text goes out; nothing here is ever a floating number. */
import type { Money } from "../../../engine/contract/primitives.ts";
import { formatAmount, formatTicket } from "../../../engine/core/money.ts";

/** The whole amount, exactly, with commas: "1,250.00". Wherever somebody agrees to it. */
export const exact = ({ amount, decimals }: Money): string =>
  formatAmount(BigInt(amount), decimals, { group: true });

/** Cut to two digits, for boards and narrow places. */
export const short = ({ amount, decimals }: Money): string => formatTicket(BigInt(amount), decimals);

/** As it would be typed: no commas. */
export const typed = ({ amount, decimals }: Money): string => formatAmount(BigInt(amount), decimals);

export const withSymbol = (money: Money): string => `${exact(money)} ${money.symbol}`;

/** The same token, another amount. */
export const moneyLike = (like: Money, amount: bigint): Money => ({ ...like, amount: amount.toString() });

export const isZero = ({ amount }: Money): boolean => BigInt(amount) === 0n;

/** Basis points as a percentage: 500 is "5 %", 275 is "2.75 %". */
export function percent(bps: number): string {
  const whole = Math.trunc(bps / 100);
  const rest = String(bps % 100).padStart(2, "0");
  return `${whole}${rest === "00" ? "" : `.${rest.replace(/0$/, "")}`} %`;
}

/** What a player is told when the pool doesn't hold enough. */
import type { Rejection, Result } from "../contract/problems.ts";
import { formatAmount } from "../core/money.ts";
import type { Token } from "../db/tokens.ts";

/** Says a rejection `insufficient_funds` in words, with the facts `free` and `short`; others stay as they are. */
export function explainShortfall(
  tokens: ReadonlyMap<string, Token>,
  rejection: Rejection,
  field: string,
): Result<never> {
  const { free, short, token } = rejection.facts ?? {};
  const known = tokens.get(token ?? "");
  if (rejection.code !== "insufficient_funds" || free === undefined || short === undefined || !known)
    return { ok: false, rejection };
  const say = (amount: string) => formatAmount(BigInt(amount), known.decimals, { group: true });
  const message = `You have ${say(free)} ${known.symbol} free. ${say(short)} short.`;
  return { ok: false, rejection: { ...rejection, field, message } };
}

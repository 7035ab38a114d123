/** The listed tokens, read once: they change only with a restart. */
import type { Money } from "../contract/primitives.ts";
import type { Queryable } from "../db/pool.ts";
import { readTokens, type Token } from "../db/tokens.ts";

const cache = new WeakMap<object, Map<string, Token>>();

/** Listed tokens by address, in the order of configuration. `pool` is the key of the cache. */
export async function listedTokens(pool: Queryable): Promise<Map<string, Token>> {
  const known = cache.get(pool);
  if (known !== undefined) return known;
  const tokens = new Map((await readTokens(pool)).map((token) => [token.address, token]));
  cache.set(pool, tokens);
  return tokens;
}

/** An amount with everything that is needed to show it. */
export function moneyOf(tokens: ReadonlyMap<string, Token>, token: string, amount: bigint): Money {
  const known = tokens.get(token);
  if (known === undefined) throw new Error(`token ${token} isn't listed`);
  return { amount: amount.toString(), token, symbol: known.symbol, decimals: known.decimals };
}

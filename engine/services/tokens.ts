/**
 * The tokens. One that was ever listed is *known* for ever: it is shown, followed, paid out and watched. That it is
 * *listed* says only that new offers can be made in it. Which are, the process that leads the chain's work decides.
 */

import type { Money } from "../contract/primitives.ts";
import { type Result, reject } from "../contract/problems.ts";
import type { Pool, Queryable } from "../db/pool.ts";
import { type KnownToken, readTokens, type Token } from "../db/tokens.ts";
import { awaitMade } from "./awaiting.ts";

const cache = new WeakMap<object, Map<string, KnownToken>>();
const shared = new WeakMap<object, object>();
const keyOf = (pool: object): object => shared.get(pool) ?? pool;

/** Known tokens by address, the listed ones first; kept until `refreshTokens`. `pool` is the key of the cache. */
export async function knownTokens(pool: Queryable): Promise<Map<string, KnownToken>> {
  return cache.get(keyOf(pool)) ?? refreshTokens(pool);
}

/** Has `other`, a pool on the same database, know the tokens that `pool` knows, whichever of them is refreshed. */
export function shareTokens(pool: Pool, other: Pool): void {
  shared.set(other, pool);
}

/** Reads anew which tokens there are: another process may have listed some. */
export async function refreshTokens(pool: Queryable): Promise<Map<string, KnownToken>> {
  const tokens = new Map((await readTokens(pool)).map((token) => [token.address, token]));
  cache.set(keyOf(pool), tokens);
  return tokens;
}

/** At the start of a process: until tokens are listed. */
export async function awaitTokens({ pool, signal }: { pool: Pool; signal: AbortSignal }): Promise<void> {
  await awaitMade(async () => ((await refreshTokens(pool)).size === 0 ? null : true), {
    signal,
    otherwise: "No token was ever listed: start a process with ROLE=chain, which lists those of TOKENS.",
  });
}

/** A sentence when these aren't the ones that are listed; null when they are. */
export function sayOtherTokens(tokens: ReadonlyMap<string, KnownToken>, configured: string[]): string | null {
  const listed = [...tokens.values()].filter((token) => token.listed);
  const missing = listed.filter(({ address }) => !configured.includes(address));
  const surplus = configured.filter((address) => tokens.get(address)?.listed !== true);
  if (missing.length === 0 && surplus.length === 0) return null;
  const differences = [
    ...missing.map(({ symbol, address }) => `it lacks ${symbol} (${address}), which is listed`),
    ...surplus.map((address) => `it names ${address}, which isn't`),
  ];
  return `TOKENS of this process isn't the list of the engine that leads: ${differences.join("; ")}. That engine's list counts.`;
}

/** @returns `token_unknown` or `token_not_listed` unless new offers can be made in it */
export function requireListed(tokens: ReadonlyMap<string, KnownToken>, address: string): Result<null> {
  const token = tokens.get(address);
  if (token === undefined) return reject("token_unknown", { field: "token" });
  if (token.listed) return { ok: true, value: null };
  const message = `${token.symbol} was taken out of play: no new offers are made in it. What you have of it can be withdrawn.`;
  return reject("token_not_listed", { field: "token", message });
}

/** An amount with everything that is needed to show it. */
export function moneyOf(tokens: ReadonlyMap<string, Token>, token: string, amount: bigint): Money {
  const known = tokens.get(token);
  if (known === undefined) throw new Error(`token ${token} isn't known`);
  return { amount: amount.toString(), token, symbol: known.symbol, decimals: known.decimals };
}

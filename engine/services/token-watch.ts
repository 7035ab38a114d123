/** Tokens are tried before they are listed, and watched from then on: the first difference stops what leaves the house. */
import { ChainError } from "../chain/errors.ts";
import { readCodeAddresses } from "../chain/token-code.ts";
import { type TokenTrial, tryToken } from "../chain/token-trial.ts";
import { insertBreach } from "../db/breaches.ts";
import { transaction } from "../db/pool.ts";
import { listTokens, readTokenCodes, type Token, updateTokenCode } from "../db/tokens.ts";
import type { Context } from "./context.ts";

/**
 * Lists exactly these tokens. Those that aren't listed yet are tried first; when one of them is unfit, nothing is listed
 * and the answer says which and why, a sentence each.
 */
export async function listFitTokens(
  { pool, chain }: Pick<Context, "pool" | "chain">,
  tokens: Token[],
): Promise<string[]> {
  const known = new Set(
    (await readTokenCodes(pool)).flatMap((row) => (row.code_address === null ? [] : row.address)),
  );
  const added = tokens.filter(({ address }) => !known.has(address));
  // Before the trial: what replaces the code after it differs from what was tried.
  const codes = await readCodeAddresses(
    chain,
    added.map(({ address }) => address),
  );
  const trials = await Promise.all(added.map((token) => tryToken(chain, token)));
  const problems = trials.flatMap((trial, index) => (trial.fit ? [] : [sayUnfit(added[index], trial)]));
  if (problems.length > 0) return problems;
  await listTokens(pool, tokens);
  for (const [index, { address }] of added.entries())
    await updateTokenCode(pool, { token: address, before: null, after: codes[index] ?? address });
  return [];
}

const sayUnfit = (token: Token | undefined, { why }: TokenTrial & { fit: false }): string =>
  `${token?.symbol} (${token?.address}) can't be listed: it ${why}.`;

/**
 * Looks whether each listed token still runs the code that it was listed with and still moves exact amounts. What differs
 * becomes a breach: an operator lifts it with a reason, and thereby takes the token as it is now.
 */
export async function watchTokens(context: Context): Promise<void> {
  const tokens = await readTokenCodes(context.pool);
  const codes = await readCodeAddresses(
    context.chain,
    tokens.map(({ address }) => address),
  );
  for (const [index, token] of tokens.entries())
    await compareCode(context, token, codes[index] ?? token.address);
  for (const token of tokens) await tryAgain(context, token);
}

type KnownToken = Awaited<ReturnType<typeof readTokenCodes>>[number];

/** The new address is stored with the breach: each change stops once, and lifting it is agreeing with it. */
async function compareCode(context: Context, token: KnownToken, now: string): Promise<void> {
  const { address, symbol, code_address: before } = token;
  if (before === now) return;
  await transaction(context.pool, async (tx) => {
    const isFirst = await updateTokenCode(tx, { token: address, before, after: now });
    if (!isFirst || before === null) return;
    const detail = `${symbol} (${address}) runs other code than it was listed with: its implementation was ${before} and is ${now}`;
    await insertBreach(tx, { invariant: "token code", detail });
    context.log.fatal({ detail }, "a token's code was replaced: outflows are stopped");
  });
}

/** A token that only refuses is left to the payouts, which wait for it: an issuer may pause it for a while. */
async function tryAgain(context: Context, token: KnownToken): Promise<void> {
  const trial = await tryToken(context.chain, token).catch((error): TokenTrial => {
    if (error instanceof ChainError) return { fit: false, fault: "untried", why: error.message };
    throw error;
  });
  if (trial.fit || trial.fault === "failing") return;
  if (trial.fault === "untried") {
    context.log.warn({ token: token.address, why: trial.why }, "a token's transfers couldn't be tried");
    return;
  }
  const detail = `${token.symbol} (${token.address}) ${trial.why}`;
  if (await insertBreach(context.pool, { invariant: "token transfers", detail }))
    context.log.fatal({ detail }, "a token isn't what was listed: outflows are stopped");
}

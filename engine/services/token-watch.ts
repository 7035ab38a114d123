/** Tokens are tried before they are listed, and watched from then on, listed or not: the first difference stops what leaves the house. */
import { readBalances } from "../chain/balances.ts";
import { ChainError, RpcRefusedError } from "../chain/errors.ts";
import { readCodeAddresses } from "../chain/token-code.ts";
import { type TokenTrial, tryToken } from "../chain/token-trial.ts";
import { insertBreach } from "../db/breaches.ts";
import { readCursor } from "../db/cursor.ts";
import { holdFence } from "../db/lease.ts";
import { transaction } from "../db/pool.ts";
import { listTokens, readTokenCodes, type Token, updateTokenCode } from "../db/tokens.ts";
import { readAddressesAfter } from "../db/wallets.ts";
import type { Context, Leadership } from "./context.ts";
import { refreshTokens } from "./tokens.ts";

const walletsAtOnce = 5_000;

/** One that may be listed; `codeAddress` is null where it is listed already. */
export type TriedToken = Token & { codeAddress: string | null };

/** Tries those that aren't listed yet. `unfit` says which can't be and why, a sentence each: then none is to be. */
export async function tryTokens(
  { pool, chain }: Pick<Context, "pool" | "chain">,
  tokens: Token[],
): Promise<{ tried: TriedToken[]; unfit: string[] }> {
  const known = await readTokenCodes(pool);
  const isListed = new Set(
    known.flatMap((row) => (row.listed && row.code_address !== null ? row.address : [])),
  );
  const added = tokens.filter(({ address }) => !isListed.has(address));
  // Before the trial: what replaces the code after it differs from what was tried.
  const codes = await readCodeAddresses(
    chain,
    added.map(({ address }) => address),
  );
  const trials = await Promise.all(added.map((token) => tryToken(chain, token)));
  const unfit = trials.flatMap((trial, index) => (trial.fit ? [] : [sayUnfit(added[index], trial)]));
  const isKnown = new Set(known.map(({ address }) => address));
  for (const token of added.filter(({ address }) => !isKnown.has(address))) {
    const holder = await findHolder({ pool, chain }, token);
    if (holder !== null)
      unfit.push(
        `${token.symbol} (${token.address}) can't be listed: our wallet ${holder} holds some already, which was nobody's when it came, so that the books could never agree with the chain. If it came while the engine was down, start without ${token.symbol} and list it when the books have caught up.`,
      );
  }
  for (const { address, symbol, decimals } of tokens) {
    const before = known.find((row) => row.address === address)?.decimals ?? decimals;
    if (before !== decimals)
      unfit.push(
        `${symbol} (${address}) can't be listed: it had ${before} decimals and has ${decimals} now.`,
      );
  }
  const codeOf = new Map(added.map(({ address }, index) => [address, codes[index] ?? address]));
  return {
    tried: tokens.map((token) => ({ ...token, codeAddress: codeOf.get(token.address) ?? null })),
    unfit,
  };
}

/** A wallet of ours that holds some of a token at the books' head: from there on its transfers are read. Null when none does. */
async function findHolder(
  { pool, chain }: Pick<Context, "pool" | "chain">,
  token: Token,
): Promise<string | null> {
  const cursor = await readCursor(pool);
  if (cursor === null) return null;
  for (let after: string | null = null; ; ) {
    const page = await readAddressesAfter(pool, after, walletsAtOnce);
    const wanted = page.map(({ address }) => ({ token: token.address, address }));
    const held = await readBalances(chain, wanted, cursor.head_number).catch((error: unknown) => {
      // Of the head of old books a node may have nothing left to tell. What is held now is at least what was held then.
      if (error instanceof RpcRefusedError) return readBalances(chain, wanted, "latest");
      throw error;
    });
    const place = held.findIndex((amount) => amount !== null && amount > 0n);
    if (place >= 0) return wanted[place]?.address ?? null;
    if (page.length < walletsAtOnce) return null;
    after = page.at(-1)?.id ?? null;
  }
}

/** Lists exactly these, in the name of the process that leads. @throws LostLeaseError */
export async function listTriedTokens(
  { pool }: Pick<Context, "pool">,
  { fence }: Leadership,
  tried: TriedToken[],
): Promise<void> {
  await transaction(pool, async (tx) => {
    await holdFence(tx, { name: "chain", fence });
    await listTokens(tx, tried);
  });
  await refreshTokens(pool);
}

const sayUnfit = (token: Token | undefined, { why }: TokenTrial & { fit: false }): string =>
  `${token?.symbol} (${token?.address}) can't be listed: it ${why}.`;

/**
 * Looks whether each known token still runs the code that it was listed with and still moves exact amounts. What differs
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

type WatchedToken = Awaited<ReturnType<typeof readTokenCodes>>[number];

/** The new address is stored with the breach: each change stops once, and lifting it is agreeing with it. */
async function compareCode(context: Context, token: WatchedToken, now: string): Promise<void> {
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
async function tryAgain(context: Context, token: WatchedToken): Promise<void> {
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

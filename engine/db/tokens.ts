import { z } from "zod";
import { flag, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const token = z.object({ address: z.string(), symbol: z.string(), decimals: z.number() });
/** `symbol` and `decimals` as its contract says. */
export type Token = z.output<typeof token>;

const knownToken = token.extend({ listed: flag });
/** One that was ever listed. While it is, new offers can be made in it. */
export type KnownToken = z.output<typeof knownToken>;

/** Every token that was ever listed: those that are, in the order of configuration, then the others. */
export async function readTokens(db: Queryable): Promise<KnownToken[]> {
  const { rows } = await db.query(
    "SELECT address, symbol, decimals, listed FROM token ORDER BY listed DESC, position, address",
  );
  return rowsOf(knownToken, rows);
}

/**
 * Lists exactly these tokens; the others stay known. Decimals never change: a token that answers others now is another
 * token, and it throws. `codeAddress` counts for one whose code wasn't known yet.
 */
export async function listTokens(
  db: Queryable,
  tokens: (Token & { codeAddress?: string | null })[],
): Promise<void> {
  const { rowCount } = await db.query(
    `WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[])
                      WITH ORDINALITY AS given (address, symbol, decimals, code_address, position)),
          unlisted AS (UPDATE token SET listed = false WHERE listed AND address <> ALL ($1::text[]))
     INSERT INTO token (address, symbol, decimals, position, code_address)
       SELECT address, symbol, decimals, position, code_address FROM given
     ON CONFLICT (address) DO UPDATE SET listed = true, position = EXCLUDED.position, symbol = EXCLUDED.symbol,
         code_address = coalesce(token.code_address, EXCLUDED.code_address)
       WHERE token.decimals = EXCLUDED.decimals`,
    [
      tokens.map((t) => t.address),
      tokens.map((t) => t.symbol),
      tokens.map((t) => t.decimals),
      tokens.map((t) => t.codeAddress ?? null),
    ],
  );
  if (rowCount !== tokens.length)
    throw new Error("a listed token answers other decimals than before: remove it from TOKENS");
}

const tokenCode = knownToken.extend({ code_address: z.string().nullable() });
/** Every token that was ever listed with the address of its code, as it was when last looked at; null before the first look. */
export async function readTokenCodes(db: Queryable): Promise<z.output<typeof tokenCode>[]> {
  const { rows } = await db.query(
    "SELECT address, symbol, decimals, listed, code_address FROM token ORDER BY listed DESC, position, address",
  );
  return rowsOf(tokenCode, rows);
}

/** False when another process has changed it from `before` meanwhile. */
export async function updateTokenCode(
  db: Queryable,
  { token, before, after }: { token: string; before: string | null; after: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    "UPDATE token SET code_address = $3 WHERE address = $1 AND code_address IS NOT DISTINCT FROM $2",
    [token, before, after],
  );
  return rowCount === 1;
}

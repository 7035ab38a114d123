import { z } from "zod";
import { rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const token = z.object({ address: z.string(), symbol: z.string(), decimals: z.number() });
/** A listed token; `symbol` and `decimals` as its contract says. */
export type Token = z.output<typeof token>;

/** Listed tokens in the order of configuration. */
export async function readTokens(db: Queryable): Promise<Token[]> {
  const { rows } = await db.query(
    "SELECT address, symbol, decimals FROM token WHERE listed ORDER BY position",
  );
  return rowsOf(token, rows);
}

/** Lists exactly these tokens. Decimals never change: a token that answers others now is another token, and it throws. */
export async function listTokens(db: Queryable, tokens: Token[]): Promise<void> {
  const { rowCount } = await db.query(
    `WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[]) WITH ORDINALITY AS given (address, symbol, decimals, position)),
          unlisted AS (UPDATE token SET listed = false WHERE address <> ALL ($1::text[]))
     INSERT INTO token (address, symbol, decimals, position) SELECT address, symbol, decimals, position FROM given
     ON CONFLICT (address) DO UPDATE SET listed = true, position = EXCLUDED.position, symbol = EXCLUDED.symbol
       WHERE token.decimals = EXCLUDED.decimals`,
    [tokens.map((t) => t.address), tokens.map((t) => t.symbol), tokens.map((t) => t.decimals)],
  );
  if (rowCount !== tokens.length)
    throw new Error("a listed token answers other decimals than before: remove it from TOKENS");
}

const tokenCode = token.extend({ code_address: z.string().nullable() });
/** Listed tokens with the address of their code, as it was when last looked at; null before the first look. */
export async function readTokenCodes(db: Queryable): Promise<z.output<typeof tokenCode>[]> {
  const { rows } = await db.query(
    "SELECT address, symbol, decimals, code_address FROM token WHERE listed ORDER BY position",
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

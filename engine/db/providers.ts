/** How our nodes are, as the process that follows the chain sees them. */
import { z } from "zod";
import { big, count, moment, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

const provider = z.object({
  position: count,
  url: z.string(),
  ok: z.boolean(),
  agrees: z.boolean(),
  note: z.string().nullable(),
  head_number: big.nullable(),
  behind_blocks: count,
  looked_at: moment,
});
export type ProviderRow = z.output<typeof provider>;

/** In the order of the configuration. */
export async function readProviders(db: Queryable): Promise<ProviderRow[]> {
  const { rows } = await db.query(
    "SELECT position, url, ok, agrees, note, head_number, behind_blocks, looked_at FROM provider ORDER BY position",
  );
  return rowsOf(provider, rows);
}

/** All of them, in their order; those that were there before and aren't given are forgotten. */
export async function storeProviders(
  db: Queryable,
  providers: Omit<ProviderRow, "position" | "looked_at">[],
): Promise<void> {
  await db.query({
    name: "store_providers",
    text: `WITH gone AS (DELETE FROM provider WHERE position >= cardinality($1::text[]))
           INSERT INTO provider (position, url, ok, agrees, note, head_number, behind_blocks)
           SELECT place - 1, url, ok, agrees, note, head, behind
           FROM unnest($1::text[], $2::boolean[], $3::boolean[], $4::text[], $5::bigint[], $6::bigint[])
             WITH ORDINALITY AS given (url, ok, agrees, note, head, behind, place)
           ON CONFLICT (position) DO UPDATE SET url = EXCLUDED.url, ok = EXCLUDED.ok, agrees = EXCLUDED.agrees, note = EXCLUDED.note,
             head_number = EXCLUDED.head_number, behind_blocks = EXCLUDED.behind_blocks, looked_at = now()`,
    values: [
      providers.map((row) => row.url),
      providers.map((row) => row.ok),
      providers.map((row) => row.agrees),
      providers.map((row) => row.note?.slice(0, 500) ?? null),
      providers.map((row) => row.head_number?.toString() ?? null),
      providers.map((row) => row.behind_blocks),
    ],
  });
}

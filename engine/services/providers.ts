/** The health of our nodes, for whoever looks: the process that follows the chain writes it down, every process shows it. */
import { readProviders, storeProviders } from "../db/providers.ts";
import type { Context } from "./context.ts";

export async function noteProviders({ chain, pool }: Context): Promise<void> {
  await storeProviders(
    pool,
    chain.health().map(({ url, ok, disagreement, lastError, headNumber, lagBlocks }) => ({
      url,
      ok,
      agrees: disagreement === null,
      note: disagreement ?? lastError,
      head_number: headNumber,
      behind_blocks: lagBlocks,
    })),
  );
}

export interface ProviderView {
  url: string;
  ok: boolean;
  agrees: boolean;
  note: string | null;
  headNumber: string | null;
  behindBlocks: number;
  lookedAt: string;
}

export async function viewProviders({ pool }: Pick<Context, "pool">): Promise<ProviderView[]> {
  return (await readProviders(pool)).map((row) => ({
    url: row.url,
    ok: row.ok,
    agrees: row.agrees,
    note: row.note,
    headNumber: row.head_number?.toString() ?? null,
    behindBlocks: row.behind_blocks,
    lookedAt: row.looked_at.toISOString(),
  }));
}

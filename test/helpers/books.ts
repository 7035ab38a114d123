import { expect } from "vitest";
import { checkBooks } from "../../engine/services/books.ts";
import type { Context } from "../../engine/services/context.ts";

/** Everything that docs/money.md says is always true, is; with `onChain`, the wallets hold what the books say as well. */
export async function expectBooksToBalance(
  context: Context,
  { onChain = false }: { onChain?: boolean } = {},
): Promise<void> {
  const faults = (await checkBooks(context, { onChain })).filter(({ ok }) => !ok);
  expect(faults).toEqual([]);
}

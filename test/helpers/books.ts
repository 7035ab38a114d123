import { expect } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { openFoundation } from "../../engine/foundation.ts";
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

/** The same, with the chain, of the books that an engine of this environment keeps. */
export async function expectBooksOf(environment: Record<string, string>): Promise<void> {
  const { context, close } = await openFoundation(readConfig(environment), { keys: "none" });
  try {
    await expectBooksToBalance(context, { onChain: true });
  } finally {
    await close();
  }
}

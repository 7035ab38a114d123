/** What we owe and what we hold, for anybody to see. */
import type { z } from "zod";
import type { solvency } from "../contract/operations.ts";
import { accept, type Result } from "../contract/problems.ts";
import { readBooksCheck } from "../db/books.ts";
import { readLogged, readTotals } from "../db/overview.ts";
import type { Context } from "./context.ts";
import { keptFor } from "./kept.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

type Solvency = z.output<typeof solvency>;

/**
 * Totals of the ledger now, and of the wallets as the last check read them from the chain; before the first check, and
 * where it compares some wallets only, as their logs add up.
 */
export async function readSolvency({ pool }: Context): Promise<Result<Solvency>> {
  const [tokens, check] = await Promise.all([knownTokens(pool), readBooksCheck(pool)]);
  const { invariants, onChain } = check?.result ?? { invariants: [], onChain: null };
  const totals = await readTotals(pool);
  const logged = onChain === null ? await readLogged(pool) : null;
  return accept({
    checkedAt: check?.checked_at.toISOString() ?? null,
    blockNumber: check?.block_number?.toString() ?? null,
    booksBalance: invariants.length > 0 && invariants.every(({ ok }) => ok),
    tokens: totals.map((row) => {
      const money = (amount: bigint) => moneyOf(tokens, row.token, amount);
      const held = logged?.get(row.token) ?? BigInt(onChain?.[row.token] ?? "0");
      return {
        symbol: tokens.get(row.token)?.symbol ?? "?",
        owedToPlayers: money(row.owed),
        inEscrow: money(row.in_escrow),
        earnedByHouse: money(row.earned),
        inSuspense: money(row.in_suspense),
        // Logs that begin in the middle of a wallet's life can add up to less than nothing.
        onChain: money(held < 0n ? 0n : held),
      };
    }),
    // What exactly is wrong is for the operator.
    invariants: invariants.map(({ number, name, ok }) => ({ number, name, ok, detail: null })),
  });
}

/** Everybody may ask, and each answer sums all accounts. */
const keptMs = 1_000;
/** The same, at most a second old. */
export const readSolvencyOfLate = keptFor(keptMs, readSolvency);

/** Between whom transfers went. */
import type { Sighting } from "../chain/types.ts";
import { readOwners } from "../db/chain-log.ts";
import { type Payment, readAttempts } from "../db/payments.ts";
import type { Queryable } from "../db/pool.ts";
import { findWallets, type WalletRow } from "../db/wallets.ts";

/** What the books know of those between whom transfers went. */
export interface Parties {
  /** By address. */
  wallets: Map<string, WalletRow>;
  /** The players that have proven to own an address. */
  owners: Map<string, string>;
  /** By transaction hash: what transactions of ours were to pay. */
  attempts: Map<string, Payment[]>;
}

export const nobody: Parties = { wallets: new Map(), owners: new Map(), attempts: new Map() };

/** Sends its statements at once. Whoever a transfer concerns was in the books before it was on the chain. */
export async function readParties(db: Queryable, transfers: readonly Sighting[]): Promise<Parties> {
  const unique = (texts: string[]): string[] => [...new Set(texts)];
  const [wallets, owners, attempts] = await Promise.all([
    findWallets(db, unique(transfers.flatMap(({ from, to }) => [from, to]))),
    readOwners(db, unique(transfers.map(({ from }) => from))),
    readAttempts(db, unique(transfers.map(({ txHash }) => txHash))),
  ]);
  return { wallets, owners, attempts };
}

/** What can be known of a block before it is written down. */
import type { Sighting } from "../chain/types.ts";
import { type Outlook, readOutlook } from "../db/foresight.ts";
import { type Pool, reading } from "../db/pool.ts";
import { type Parties, readParties } from "./parties.ts";

/** Whom a block's transfers concern, and how the books stood that they go into. */
export interface Foresight {
  parties: Parties;
  outlook: Outlook;
}

/** Outside of any transaction: what is written on the strength of it is held against the books again. */
export const readForesight = (pool: Pool, transfers: readonly Sighting[]): Promise<Foresight> =>
  reading(pool, async (db) => {
    const [parties, outlook] = await Promise.all([
      readParties(db, transfers),
      readOutlook(
        db,
        transfers.map(({ to }) => to),
      ),
    ]);
    return { parties, outlook };
  });

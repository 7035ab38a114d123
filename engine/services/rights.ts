/** The engine refuses to run with a database login that could rewrite history. */

import type { Pool } from "../db/pool.ts";
import { readDangerousRights } from "../db/rights.ts";

/** @throws when the login may change or delete what is append-only. */
export async function refuseDangerousRights(pool: Pool): Promise<void> {
  const rights = await readDangerousRights(pool);
  if (rights.length === 0) return;
  throw new Error(
    `DATABASE_URL: this login may ${rights.join(", ")}. Give the server a login that is only a member of on_the_rail_app.`,
  );
}

/** The engine refuses to run with a database login that could rewrite history. */

import type { Pool } from "../db/pool.ts";
import { readChangeableTables, readDangerousRights } from "../db/rights.ts";

/** @throws when the login may change or delete what is append-only. */
export async function refuseDangerousRights(pool: Pool): Promise<void> {
  const rights = await readDangerousRights(pool);
  if (rights.length === 0) return;
  throw new Error(
    `DATABASE_URL: this login may ${rights.join(", ")}. Give the server a login that is only a member of on_the_rail_app.`,
  );
}

/** @throws when the signer's login could write down for itself what it then signs. */
export async function refuseSignersRights(pool: Pool): Promise<void> {
  const tables = await readChangeableTables(pool);
  if (tables.length === 0) return;
  throw new Error(
    `DATABASE_SIGNER_URL: this login may change ${tables.slice(0, 3).join(", ")}${tables.length > 3 ? " and more" : ""}. Give the signer a login that is only a member of on_the_rail_signer.`,
  );
}

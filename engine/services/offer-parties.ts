/** Whom an offer is from, for, and judged by. */
import { type Result, reject } from "../contract/problems.ts";
import type { Tx } from "../db/pool.ts";
import { readOfferParties } from "../db/proposals.ts";
import { findPlayer, type PlayerQuery } from "./players.ts";

type Person = { id: string; handle: string };
interface Parties {
  proposerHandle: string;
  opponent: Person | null;
  referee: Person | null;
}

/**
 * Who is meant, read in one statement; the slow way only to say what is wrong.
 * @returns `switched_off`, or `player_unknown` with the fact `suggestion`
 */
export async function partiesOf(
  tx: Tx,
  { by, opponent, referee }: { by: string; opponent: PlayerQuery | null; referee?: string | undefined },
): Promise<Result<Parties>> {
  const row = await readOfferParties(tx, {
    proposerId: by,
    opponentHandle: opponent !== null && "handle" in opponent ? opponent.handle : null,
    opponentAddress: opponent !== null && "address" in opponent ? opponent.address : null,
    refereeHandle: referee ?? null,
  });
  if (row === null) throw new Error(`player ${by} is gone`);
  if (!row.offers_on) return reject("switched_off");
  const person = (id: string | null, handle: string | null): Person | null =>
    id === null || handle === null ? null : { id, handle };
  const found = {
    opponent: person(row.opponent_id, row.opponent_handle),
    referee: person(row.referee_id, row.referee_handle),
  };
  if (opponent !== null && found.opponent === null) return unknown(tx, opponent, "opponent");
  if (referee !== undefined && found.referee === null) return unknown(tx, { handle: referee }, "referee");
  return { ok: true, value: { proposerHandle: row.proposer_handle, ...found } };
}

async function unknown(tx: Tx, query: PlayerQuery, field: string): Promise<Result<never>> {
  const found = await findPlayer(tx, query);
  // Found by now: registered in this very moment.
  if (found.ok) return reject("player_unknown", { field });
  return { ok: false, rejection: { ...found.rejection, field } };
}

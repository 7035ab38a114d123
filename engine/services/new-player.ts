/** The first time that a wallet signs in: a player with a name, a wallet and a deposit address, in one transaction. */
import { randomInt } from "node:crypto";
import { insertPlayer, insertPlayerWallet } from "../db/players.ts";
import type { Tx } from "../db/pool.ts";
import { claimSpareWallet } from "../db/wallets.ts";
import type { Context } from "./context.ts";

const qualities =
  "amber brass bright calm cedar civil clever cool copper dusty early fair final first frank gentle grand hardy honest iron keen late level lucky noble quick quiet ready silver solid steady swift".split(
    " ",
  );
const things =
  "anchor badger banjo barrel bishop canyon comet condor corner domino falcon ferry harbor heron jockey lantern magpie maple marble mustang otter pilot racer raven ribbon river rocket saddle sparrow ticket tiger whistle".split(
    " ",
  );
const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? "rail";

/** A readable handle that nobody chose, such as `quiet_heron_417`. One of a million. */
export const generateHandle = (): string => `${pick(qualities)}_${pick(things)}_${randomInt(100, 1_000)}`;

const handleTries = 20;

/**
 * Makes the player of an address that nobody has signed in with yet.
 * @returns the player's id; `too_late` when another request was faster with this address, `no_wallet` when others took the
 * spare ones. Nothing of it may be kept then.
 */
export async function createPlayer(
  context: Context,
  tx: Tx,
  address: string,
): Promise<{ playerId: string } | "too_late" | "no_wallet"> {
  let player = null;
  for (let tried = 0; player === null; tried += 1) {
    if (tried === handleTries) throw new Error("no free handle was found");
    player = await insertPlayer(tx, generateHandle());
  }
  const verifiedAt = new Date(context.clock());
  const isFirst = await insertPlayerWallet(tx, { playerId: player.id, address, verifiedAt });
  if (!isFirst) return "too_late";
  const deposit = await claimSpareWallet(tx, { purpose: "deposit", playerId: player.id });
  return deposit === null ? "no_wallet" : { playerId: player.id };
}

/** Finding a player, the player's own page, and what a player can change about it. */
import type { Me } from "../contract/account.ts";
import type { PlayerRef } from "../contract/primitives.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import { parseHandle, suggestHandle } from "../core/handle.ts";
import { isUniqueViolation } from "../db/errors.ts";
import {
  type PlayerRow,
  readHandlesNear,
  readPlayer,
  readPlayerByAddress,
  readPlayerByHandle,
  readPlayerWallets,
  setPrimaryWallet,
  updatePlayer,
} from "../db/players.ts";
import type { Queryable } from "../db/pool.ts";
import type { Context } from "./context.ts";
import { change } from "./transaction.ts";

export type PlayerQuery = { handle: string } | { address: string };

/**
 * Finds a player by handle or by the address of a verified wallet.
 * @returns `player_unknown`, for a handle with the fact `suggestion` when one nearby is known.
 */
export async function findPlayer(db: Queryable, query: PlayerQuery): Promise<Result<PlayerRef>> {
  const found =
    "handle" in query
      ? await readPlayerByHandle(db, query.handle)
      : await readPlayerByAddress(db, query.address);
  if (found !== null) return accept({ id: found.id, handle: found.handle });
  if ("address" in query) {
    return reject("player_unknown", { message: "Nobody has signed in with this wallet yet." });
  }
  const suggestion = suggestHandle(query.handle, await readHandlesNear(db, query.handle));
  return suggestion === null
    ? reject("player_unknown", { message: `No one here is called ${query.handle}.` })
    : reject("player_unknown", {
        message: `No one here is called ${query.handle}. Did you mean ${suggestion}?`,
        facts: { suggestion },
      });
}

/** A player as the player sees it. Throws when there is no such player. */
export async function readMe(context: Context, db: Queryable, playerId: string): Promise<Me> {
  const player = await readPlayer(db, playerId);
  if (player === null) throw new Error(`player ${playerId} is gone`);
  return meOf(context, db, player);
}

async function meOf(context: Context, db: Queryable, player: PlayerRow): Promise<Me> {
  const wallets = await readPlayerWallets(db, player.id);
  return {
    id: player.id,
    handle: player.handle,
    winningsTo: player.winnings_to,
    termsAcceptedAt: player.terms_accepted_at?.toISOString() ?? null,
    operator: wallets.some(({ address }) => context.settings.operatorAddresses.has(address)),
    wallets: wallets.map((wallet) => ({
      address: wallet.address,
      verifiedAt: wallet.verified_at.toISOString(),
      primary: wallet.is_primary,
    })),
  };
}

export interface MeChanges {
  handle?: string | undefined;
  winningsTo?: "pool" | "wallet" | undefined;
  /** Lower case; one of the player's own. */
  primaryWallet?: string | undefined;
  acceptTerms?: true | undefined;
}

/**
 * Changes what is given, all or nothing.
 * @returns `handle_invalid`, `handle_taken`, or `wallet_not_verified` when the wallet isn't the player's.
 */
export async function changeMe(context: Context, playerId: string, changes: MeChanges): Promise<Result<Me>> {
  let handle: string | null = null;
  if (changes.handle !== undefined) {
    const parsed = parseHandle(changes.handle);
    if (!parsed.ok) return parsed;
    handle = parsed.handle;
  }
  try {
    return await change(context, async (tx) => {
      await updatePlayer(tx, playerId, {
        handle,
        winningsTo: changes.winningsTo ?? null,
        termsAcceptedAt: changes.acceptTerms === true ? new Date(context.clock()) : null,
      });
      if (changes.primaryWallet !== undefined) {
        const isOwn = await setPrimaryWallet(tx, { playerId, address: changes.primaryWallet });
        if (!isOwn) return reject("wallet_not_verified", { field: "primaryWallet" });
      }
      return accept(await readMe(context, tx, playerId));
    });
  } catch (error) {
    if (isUniqueViolation(error, "player_handle_key")) return reject("handle_taken", { field: "handle" });
    throw error;
  }
}

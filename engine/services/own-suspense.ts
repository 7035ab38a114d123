/** The part of suspense that is a player's: the operator's very items, with what they mean to the player. */
import type { z } from "zod";
import type { ownSuspense } from "../contract/account.ts";
import { accept, type Result } from "../contract/problems.ts";
import { zeroAddress } from "../core/address.ts";
import { listSuspenseOf, type OwnSuspenseRow } from "../db/suspense.ts";
import type { Context } from "./context.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

const mostShown = 100;

const why: Record<OwnSuspenseRow["cause"], string> = {
  unknown_sender: "It came from a wallet that nobody had signed in with.",
  minted: "It was made out of nothing and has no sender.",
  escrow: "It went to a game's escrow. Stakes come out of pools only, so it never counted in a game.",
  gas_wallet: "It went to a wallet of ours that takes no deposits.",
  unassigned_deposit_address: "It came to a deposit address before that was anybody's.",
};

/** What a player's wallets have sent, or came to the player's address, and couldn't be credited; open items first. */
export async function listOwnSuspense(
  context: Context,
  playerId: string,
): Promise<Result<z.output<typeof ownSuspense>>> {
  const tokens = await knownTokens(context.pool);
  const rows = await listSuspenseOf(context.pool, { playerId, limit: mostShown });
  return accept({
    items: rows.map((row) => ({
      id: row.id,
      money: moneyOf(tokens, row.token, row.amount),
      state: row.suspense_state,
      why: why[row.cause],
      next: nextOf(row),
      sender: row.sender,
      recipient: row.recipient,
      txHash: row.tx_hash,
      seenAt: row.created_at.toISOString(),
    })),
  });
}

function nextOf(row: OwnSuspenseRow): string {
  if (row.suspense_state === "refunded")
    return row.is_back
      ? "It is back in the wallet that sent it."
      : "It is on its way back to the wallet that sent it.";
  if (row.sender === zeroAddress)
    return "There is nobody to send it back to. Show an operator its transaction.";
  return row.is_sender
    ? "You sent it, so it goes into your pool by itself once it is final."
    : "Link the wallet that sent it, and it is yours. If you can't, an operator can send it back.";
}

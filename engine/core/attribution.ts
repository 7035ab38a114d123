import { zeroAddress } from "./address.ts";

/** An ERC-20 `Transfer` log. Addresses are lower case. */
export interface TransferLog {
  token: string;
  from: string;
  to: string;
  /** Base units. */
  amount: bigint;
}

/** A custody wallet of ours; a deposit wallet has a player as soon as its address was shown to anybody. */
export interface CustodyWallet {
  id: string;
  purpose: "vault" | "gas" | "deposit" | "escrow";
  playerId: string | null;
  gameId: string | null;
}

/** What we know about the two ends of a log. */
export interface AttributionFacts {
  /** Our wallet at `to`. */
  recipientWallet: CustodyWallet | null;
  /** Our wallet at `from`. */
  senderWallet: CustodyWallet | null;
  /** The player who has proven to own `from`. */
  senderOwnerPlayerId: string | null;
  /** Whether the chain transaction of the log is one that we signed. */
  sentByUs: boolean;
}

export type SuspenseCause =
  | "unknown_sender"
  | "minted"
  | "escrow"
  | "gas_wallet"
  | "unassigned_deposit_address";

export type Attribution =
  /** Credit this player. */
  | { to: "player"; playerId: string; via: "deposit_address" | "vault" }
  /** Nobody can be credited: keep it in sight, claimable by the sender, refundable by the operator. */
  | { to: "suspense"; cause: SuspenseCause }
  /** Between two wallets of ours: never a deposit. */
  | { to: "move" }
  /** Out of a wallet of ours, by a transaction that we signed. */
  | { to: "outgoing" }
  /** Out of a wallet of ours by a hand that isn't ours: an alarm, and that wallet is frozen. */
  | { to: "stray" }
  | { to: "ignored"; cause: "zero_value" | "not_ours" };

/**
 * Whose money a transfer of a token that we know is. (No other may be asked about: its contract may log what it likes, our
 * own addresses included.) A log that anybody can forge is dropped first: zero-value transfers need nobody's consent.
 */
export function attribute(log: TransferLog, facts: AttributionFacts): Attribution {
  const { recipientWallet, senderWallet } = facts;
  if (log.amount === 0n) return { to: "ignored", cause: "zero_value" };
  if (senderWallet !== null) {
    if (!facts.sentByUs) return { to: "stray" };
    return { to: recipientWallet === null ? "outgoing" : "move" };
  }
  if (recipientWallet === null) return { to: "ignored", cause: "not_ours" };
  switch (recipientWallet.purpose) {
    case "deposit":
      // Whoever sent it (an exchange, a mint, a friend): the address is that player's alone.
      return recipientWallet.playerId === null
        ? { to: "suspense", cause: "unassigned_deposit_address" }
        : { to: "player", playerId: recipientWallet.playerId, via: "deposit_address" };
    case "vault":
      if (log.from === zeroAddress) return { to: "suspense", cause: "minted" };
      return facts.senderOwnerPlayerId === null
        ? { to: "suspense", cause: "unknown_sender" }
        : { to: "player", playerId: facts.senderOwnerPlayerId, via: "vault" };
    case "escrow":
      // The stakes of a duel come from pools only, so nothing from outside is ever one.
      return { to: "suspense", cause: "escrow" };
    case "gas":
      return { to: "suspense", cause: "gas_wallet" };
  }
}

/** What transfers from and to our wallets mean, written down. */
import type { TransferLog } from "../chain/types.ts";
import { type Attribution, attribute } from "../core/attribution.ts";
import { insertBreach } from "../db/breaches.ts";
import { keepChainLogs, type NewChainLog } from "../db/chain-log.ts";
import { markMined } from "../db/confirming.ts";
import type { Payment } from "../db/payments.ts";
import type { Tx } from "../db/pool.ts";
import type { WalletRow } from "../db/wallets.ts";
import { freezeWallet } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { tellInstructions } from "./instruction-events.ts";
import { countPaid, isPaidBy } from "./paid.ts";
import type { Parties } from "./parties.ts";

/** Transfers that stand in the books from now on, and what follows from them. */
export interface Kept {
  depositIds: string[];
  mined: Parameters<typeof markMined>[1];
  strays: { log: TransferLog; sender: WalletRow }[];
}

/** Keeps those of our wallets. Those that are known already change nothing. One statement, sent at once. */
export async function keepTransfers(
  tx: Tx,
  transfers: readonly TransferLog[],
  parties: Parties,
): Promise<Kept> {
  const { attempts } = parties;
  const read = attributeAll(transfers, parties);
  if (read.length === 0) return { depositIds: [], mined: [], strays: [] };
  const kept = await keepChainLogs(tx, read.map(chainLogOf));
  const identities = new Set(kept.map((row) => identity(row.tx_hash, row.token, row.ordinal)));
  const fresh = read.filter(({ log }) => identities.has(identity(log.txHash, log.token, log.ordinal)));
  return {
    depositIds: kept.flatMap(({ deposit_id: depositId }) => depositId ?? []),
    mined: minedBy(
      attempts,
      fresh.map(({ log }) => log),
      read.map(({ log }) => log),
    ),
    strays: fresh.flatMap(({ log, attribution, sender }) =>
      attribution.to === "stray" && sender !== undefined ? [{ log, sender }] : [],
    ),
  };
}

/** A transfer from or to a wallet of ours. */
export interface AttributedTransfer {
  log: TransferLog;
  attribution: Attribution;
  sender: WalletRow | undefined;
  recipient: WalletRow | undefined;
}

/** Those that are any of our business. */
export function attributeAll(
  transfers: readonly TransferLog[],
  { wallets, owners, attempts }: Parties,
): AttributedTransfer[] {
  const ours = transfers.filter(
    ({ from, to, amount }) => amount > 0n && (wallets.has(from) || wallets.has(to)),
  );
  return ours.map((log) => {
    const payments = attempts.get(log.txHash) ?? [];
    const attribution = attribute(log, {
      recipientWallet: custody(wallets.get(log.to)),
      senderWallet: custody(wallets.get(log.from)),
      senderOwnerPlayerId: owners.get(log.from) ?? null,
      sentByUs: payments.some((payment) => isPaidBy(payment, log)),
    });
    return { log, attribution, sender: wallets.get(log.from), recipient: wallets.get(log.to) };
  });
}

export const chainLogOf = ({ log, attribution, sender, recipient }: AttributedTransfer): NewChainLog => ({
  ...log,
  sender: log.from,
  recipient: log.to,
  stampedAt: new Date(Number(log.timestampSeconds) * 1_000),
  kind: kindOf(attribution),
  senderWalletId: sender?.id ?? null,
  recipientWalletId: recipient?.id ?? null,
  playerId: attribution.to === "player" ? attribution.playerId : null,
  suspenseCause: attribution.to === "suspense" ? attribution.cause : null,
});

/** Tells of transactions of ours that are mined, and stops everything for money that left without us. */
export async function followKept(context: Context, tx: Tx, { mined, strays }: Kept): Promise<void> {
  await tellInstructions(context, tx, await markMined(tx, mined));
  for (const { log, sender } of strays) await raiseStray(context, tx, log, sender);
}

const identity = (txHash: string, token: string, ordinal: number): string => `${txHash} ${token} ${ordinal}`;

const custody = (wallet: WalletRow | undefined) =>
  wallet === undefined
    ? null
    : { id: wallet.id, purpose: wallet.purpose, playerId: wallet.player_id, gameId: wallet.game_id };

function kindOf(attribution: Attribution): "deposit" | "move" | "outgoing" | "stray" {
  if (attribution.to === "move" || attribution.to === "outgoing" || attribution.to === "stray")
    return attribution.to;
  return "deposit";
}

/** The transactions of ours that all payments of are in the logs, and one of them newly. */
function minedBy(attempts: ReadonlyMap<string, Payment[]>, fresh: TransferLog[], all: TransferLog[]) {
  const news = new Map(fresh.map((log) => [log.txHash, log.blockNumber]));
  return [...attempts].flatMap(([hash, payments]) => {
    const blockNumber = news.get(hash);
    const [first] = payments;
    if (blockNumber === undefined || first === undefined) return [];
    const logs = all.filter(({ txHash }) => txHash === hash);
    return countPaid(payments, logs) < payments.length
      ? []
      : [{ chainTxId: first.chain_tx_id, hash, blockNumber }];
  });
}

/** Money left by a hand that isn't ours: that wallet is frozen and everything that would leave waits. */
async function raiseStray(context: Context, tx: Tx, log: TransferLog, wallet: WalletRow): Promise<void> {
  const detail = `${log.amount} of ${log.token} left wallet ${wallet.address} in ${log.txHash}, which we didn't send`;
  await freezeWallet(tx, { walletId: wallet.id, reason: `stray transfer ${log.txHash}` });
  await insertBreach(tx, { invariant: "stray transfer", detail });
  context.log.fatal({ txHash: log.txHash, wallet: wallet.address }, detail);
}

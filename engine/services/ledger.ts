/**
 * The one way money moves. A caller plans transfers in the words of `core/ledger`; this resolves the accounts, locks
 * them in id order, writes the rows, and owes a chain instruction for each transfer that crosses wallets.
 */
import type { Rejection } from "../contract/problems.ts";
import { type AccountRef, checkTransfer, type PlannedTransfer, reasonRules } from "../core/ledger.ts";
import {
  type AccountKey,
  addLegs,
  insertOwnTransfer,
  insertTransfers,
  type LockedAccount,
  lockAccounts,
  type NewLeg,
  openAccounts,
  takeLegBack,
} from "../db/ledger.ts";
import type { Tx } from "../db/pool.ts";

export interface PostOptions {
  /** Same source, token, destination and cause are one chain transfer. */
  cause: string;
  gameId?: string;
  playerId?: string;
  /** The chain transfer isn't sent before this moment (the undo window). */
  notBefore?: Date;
  /** …nor before this block is final (a collection of deposits). */
  notBeforeBlock?: bigint;
}
/** Ids of the ledger rows by business key, and of the instructions that they caused. */
export interface Posted {
  transferIds: Map<string, string>;
  instructionIds: string[];
}

const keyOf = (ref: AccountRef, token: string): AccountKey => ({
  kind: ref.kind,
  token,
  playerId: "playerId" in ref ? ref.playerId : null,
  gameId: "gameId" in ref ? ref.gameId : null,
  walletId: ref.kind === "suspense" ? ref.walletId : null,
});
const textOf = (key: AccountKey): string =>
  [key.kind, key.token, key.playerId, key.gameId, key.walletId].join("|");

/**
 * Posts transfers, all or none.
 * @returns a rejection `insufficient_funds` with facts `free` and `short` (base units) when a balance doesn't suffice,
 * or `undo_window_closed` when a transfer to take back is on its way already. After a rejection roll back.
 * @throws on a business key that stands already (23505).
 */
export async function post(
  tx: Tx,
  transfers: PlannedTransfer[],
  options: PostOptions,
): Promise<{ ok: true; value: Posted } | { ok: false; rejection: Rejection }> {
  const posted: Posted = { transferIds: new Map(), instructionIds: [] };
  if (transfers.length === 0) return { ok: true, value: posted };
  for (const transfer of transfers) checkTransfer(transfer);
  const written = (await writeOwn(tx, transfers)) ?? (await writeAll(tx, transfers));
  if (!written.ok) return written;
  posted.transferIds = written.transferIds;
  const legs: NewLeg[] = [];
  for (const transfer of transfers) {
    const leg = legOf(transfer, written, options);
    if (leg === null) continue;
    if (leg.kind !== null) legs.push({ ...leg, kind: leg.kind });
    else if (!(await takeLegBack(tx, leg))) return { ok: false, rejection: { code: "undo_window_closed" } };
  }
  posted.instructionIds = await addLegs(tx, legs);
  return { ok: true, value: posted };
}

type Accounts = Map<string, LockedAccount>;
type Written =
  | { ok: true; accounts: Accounts; transferIds: Map<string, string> }
  | { ok: false; rejection: Rejection };

const mayOverdraw = ({ kind }: AccountRef): boolean => kind === "outside" || kind === "house.loss";

/** One transfer within a player's own accounts takes one statement; null leaves it to `writeAll`. */
async function writeOwn(tx: Tx, transfers: PlannedTransfer[]): Promise<Written | null> {
  const [transfer, second] = transfers;
  if (transfer === undefined || second !== undefined) return null;
  const { token, amount, reason, key: businessKey } = transfer;
  const [from, to] = [keyOf(transfer.from, token), keyOf(transfer.to, token)];
  const { playerId } = from;
  if (playerId === null || playerId !== to.playerId) return null;
  const kinds = { fromKind: from.kind, toKind: to.kind };
  const written = await insertOwnTransfer(tx, { playerId, ...kinds, token, amount, reason, businessKey });
  if (written === null) return null;
  const accounts = new Map([
    [textOf(from), written.debit],
    [textOf(to), written.credit],
  ]);
  if (written.transferId !== null)
    return { ok: true, accounts, transferIds: new Map([[businessKey, written.transferId]]) };
  const short = firstOverdraft(transfers, accounts);
  if (short === null) throw new Error(`ledger row ${businessKey} wasn't written`);
  return { ok: false, rejection: short };
}

async function writeAll(tx: Tx, transfers: PlannedTransfer[]): Promise<Written> {
  const accounts = await resolve(tx, transfers);
  const short = firstOverdraft(transfers, accounts);
  if (short !== null) return { ok: false, rejection: short };
  const transferIds = await insertTransfers(
    tx,
    transfers.map((transfer) => ({
      debitAccountId: accountOf(accounts, transfer.from, transfer.token).id,
      creditAccountId: accountOf(accounts, transfer.to, transfer.token).id,
      token: transfer.token,
      amount: transfer.amount,
      reason: transfer.reason,
      businessKey: transfer.key,
    })),
  );
  return { ok: true, accounts, transferIds };
}

function accountOf(accounts: Accounts, ref: AccountRef, token: string): LockedAccount {
  const account = accounts.get(textOf(keyOf(ref, token)));
  if (account === undefined) throw new Error(`no account ${ref.kind}`);
  return account;
}

async function resolve(tx: Tx, transfers: PlannedTransfer[]): Promise<Accounts> {
  const keys = new Map<string, AccountKey>();
  for (const { from, to, token } of transfers) {
    for (const ref of [from, to]) keys.set(textOf(keyOf(ref, token)), keyOf(ref, token));
  }
  const wanted = [...keys.values()];
  let locked = await lockAccounts(tx, wanted);
  const missing = wanted.filter((_, index) => locked[index] === null);
  if (missing.length > 0) {
    await openAccounts(tx, missing);
    locked = await lockAccounts(tx, wanted);
  }
  const accounts: Accounts = new Map();
  wanted.forEach((key, index) => {
    const account = locked[index];
    if (account == null)
      throw new Error(`account ${textOf(key)} can't be opened: has its wallet been issued?`);
    accounts.set(textOf(key), account);
  });
  return accounts;
}

/** Plays the transfers through; the database's CHECK says the same, but aborts the transaction. */
function firstOverdraft(transfers: PlannedTransfer[], accounts: Accounts): Rejection | null {
  const balances = new Map<string, bigint>();
  const balanceOf = (account: LockedAccount): bigint => balances.get(account.id) ?? account.balance;
  for (const { from, to, token, amount } of transfers) {
    const debit = accountOf(accounts, from, token);
    const credit = accountOf(accounts, to, token);
    const free = balanceOf(debit);
    if (!mayOverdraw(from) && free < amount) {
      return {
        code: "insufficient_funds",
        facts: { free: free.toString(), short: (amount - free).toString(), token },
      };
    }
    balances.set(debit.id, from.kind === "house.loss" ? free + amount : free - amount);
    balances.set(credit.id, balanceOf(credit) + (to.kind === "house.loss" ? -amount : amount));
  }
  return null;
}

/**
 * The chain transfer that a ledger transfer is owed; with kind null the one that it takes back; null when it stays within
 * a wallet, or when the money is there already.
 */
function legOf(
  transfer: PlannedTransfer,
  { accounts, transferIds }: Extract<Written, { ok: true }>,
  options: PostOptions,
): (Omit<NewLeg, "kind"> & { kind: NewLeg["kind"] | null }) | null {
  const { from, to, token, amount, reason, key } = transfer;
  const source = accountOf(accounts, from, token).walletId;
  const destination = accountOf(accounts, to, token).walletId;
  const transferId = transferIds.get(key);
  if (transferId === undefined) throw new Error(`ledger row ${key} wasn't written`);
  if (source === destination) return null;
  const kind = reasonRules[reason].instruction;
  const leg = {
    kind,
    transferId,
    token,
    amount,
    cause: options.cause,
    gameId: options.gameId ?? null,
    playerId: options.playerId ?? null,
    notBefore: options.notBefore ?? null,
    notBeforeBlock: options.notBeforeBlock ?? 0n,
  };
  if (kind === null) {
    // Money from outside is there already; anything else without an instruction takes one back.
    if (from.kind === "outside" && reason === "deposit") return null;
    if (to.kind === "outside" || destination === null || from.kind === "house.loss") return null;
    const destinationAddress = from.kind === "outside" ? from.address : null;
    return { ...leg, sourceWalletId: destination, destinationWalletId: source, destinationAddress };
  }
  if (source === null) throw new Error("an instruction needs a wallet of ours to send from");
  const destinationAddress = to.kind === "outside" ? to.address : null;
  return { ...leg, sourceWalletId: source, destinationWalletId: destination, destinationAddress };
}

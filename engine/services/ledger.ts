/**
 * The one way money moves. A caller plans transfers in the words of `core/ledger`; this resolves the accounts, locks
 * them in id order, writes the rows, and owes a chain instruction for each transfer that crosses wallets.
 */
import type { Rejection } from "../contract/problems.ts";
import {
  type AccountRef,
  checkTransfer,
  type PlannedTransfer,
  reasonRules,
  type TransferReason,
} from "../core/ledger.ts";
import {
  type AccountKey,
  insertOwnTransfer,
  type LegBack,
  type LockedAccount,
  type NewLeg,
  type NewTransfer,
  type Owing,
  openAccounts,
  takeLegBack,
  writeTransfers,
  writeTransfersSurely,
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
  /** The parked instruction that the transfers take back; otherwise they take back what waits with the same cause. */
  parkedId?: string;
}
export interface Posted {
  /** Of the instructions that the transfers caused, each once. */
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
  if (transfers.length === 0) return { ok: true, value: { instructionIds: [] } };
  for (const transfer of transfers) checkTransfer(transfer);
  const written = (await writeOwn(tx, transfers)) ?? (await writeAll(tx, transfers, options));
  if (!written.ok) return written;
  for (const transfer of transfers) {
    const back = legBackOf(transfer, written.accounts, options);
    if (back !== null && !(await takeLegBack(tx, back)))
      return { ok: false, rejection: { code: "undo_window_closed" } };
  }
  return { ok: true, value: { instructionIds: written.instructionIds } };
}

/** Those of deposits: they can't be refused, and take no chain transfer back. */
const sureReasons: ReadonlySet<TransferReason> = new Set(["deposit", "collect"]);

/**
 * Writes transfers of deposits, where nobody looks at an answer before the commit. It fails where `post` would
 * open an account (`isUnwritten`). @throws when one isn't of that kind, before anything is sent
 */
export function postSurely(tx: Tx, transfers: PlannedTransfer[], options: PostOptions): Promise<void> {
  for (const transfer of transfers) {
    checkTransfer(transfer);
    if (!sureReasons.has(transfer.reason)) throw new Error(`${transfer.key} may be refused`);
  }
  const { keys, rows } = rowsOf(transfers);
  return writeTransfersSurely(tx, keys, rows, owingOf(options));
}

type Accounts = Map<string, LockedAccount>;
type Written =
  | { ok: true; accounts: Accounts; instructionIds: string[] }
  | { ok: false; rejection: Rejection };

const mayOverdraw = ({ kind }: AccountRef): boolean => kind === "outside" || kind === "house.loss";

/** One transfer within a player's own accounts that owes nothing takes one statement; null leaves it to `writeAll`. */
async function writeOwn(tx: Tx, transfers: PlannedTransfer[]): Promise<Written | null> {
  const [transfer, second] = transfers;
  if (transfer === undefined || second !== undefined) return null;
  const { token, amount, reason, key: businessKey } = transfer;
  const [from, to] = [keyOf(transfer.from, token), keyOf(transfer.to, token)];
  const { playerId } = from;
  if (playerId === null || playerId !== to.playerId || reasonRules[reason].instruction !== null) return null;
  const kinds = { fromKind: from.kind, toKind: to.kind };
  const written = await insertOwnTransfer(tx, { playerId, ...kinds, token, amount, reason, businessKey });
  if (written === null) return null;
  const accounts = new Map([
    [textOf(from), written.debit],
    [textOf(to), written.credit],
  ]);
  if (written.transferId !== null) return { ok: true, accounts, instructionIds: [] };
  const short = firstOverdraft(transfers, accounts);
  if (short === null) throw new Error(`ledger row ${businessKey} wasn't written`);
  return { ok: false, rejection: short };
}

/** Writes the rows and owes what follows from them. */
async function writeAll(tx: Tx, transfers: PlannedTransfer[], options: PostOptions): Promise<Written> {
  const { keys, rows } = rowsOf(transfers);
  const write = () => writeTransfers(tx, keys, rows, owingOf(options));
  let written = await write();
  const missing = keys.filter((_, index) => written.accounts[index] === null);
  if (missing.length > 0) {
    await openAccounts(tx, missing);
    written = await write();
  }
  const accounts = accountsOf(keys, written.accounts);
  if (written.isWritten) return { ok: true, accounts, instructionIds: written.instructionIds };
  const short = firstOverdraft(transfers, accounts);
  if (short === null) throw new Error(`ledger row ${transfers[0]?.key} wasn't written`);
  return { ok: false, rejection: short };
}

function rowsOf(transfers: PlannedTransfer[]): { keys: AccountKey[]; rows: NewTransfer[] } {
  const keys = keysOf(transfers);
  const texts = keys.map(textOf);
  const rows = transfers.map((transfer) => {
    const { from, to, token, amount, reason, key: businessKey } = transfer;
    return {
      debit: texts.indexOf(textOf(keyOf(from, token))),
      credit: texts.indexOf(textOf(keyOf(to, token))),
      ...{ token, amount, reason, businessKey },
      leg: legOf(transfer),
    };
  });
  return { keys, rows };
}

const owingOf = (options: PostOptions): Owing => ({
  cause: options.cause,
  gameId: options.gameId ?? null,
  playerId: options.playerId ?? null,
  notBefore: options.notBefore ?? null,
  notBeforeBlock: options.notBeforeBlock ?? 0n,
});

function accountOf(accounts: Accounts, ref: AccountRef, token: string): LockedAccount {
  const account = accounts.get(textOf(keyOf(ref, token)));
  if (account === undefined) throw new Error(`no account ${ref.kind}`);
  return account;
}

/** Of all accounts that the transfers touch, each once. */
function keysOf(transfers: PlannedTransfer[]): AccountKey[] {
  const keys = new Map<string, AccountKey>();
  for (const { from, to, token } of transfers) {
    for (const ref of [from, to]) keys.set(textOf(keyOf(ref, token)), keyOf(ref, token));
  }
  return [...keys.values()];
}

function accountsOf(keys: AccountKey[], locked: (LockedAccount | null)[]): Accounts {
  return new Map(
    keys.map((key, index) => {
      const account = locked[index];
      if (account == null)
        throw new Error(`account ${textOf(key)} can't be opened: has its wallet been issued?`);
      return [textOf(key), account];
    }),
  );
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

/** The chain transfer that a ledger transfer is owed, if it crosses wallets. */
function legOf({ to, reason }: PlannedTransfer): NewLeg | null {
  const kind = reasonRules[reason].instruction;
  return kind === null ? null : { kind, destination: to.kind === "outside" ? to.address : null };
}

/** The chain transfer that a ledger transfer takes back; null when it stays within a wallet, is owed one itself, or is there already. */
function legBackOf(
  { from, to, token, amount, reason, key }: PlannedTransfer,
  accounts: Accounts,
  { cause, parkedId }: PostOptions,
): LegBack | null {
  const source = accountOf(accounts, from, token).walletId;
  const destination = accountOf(accounts, to, token).walletId;
  if (source === destination || reasonRules[reason].instruction !== null) return null;
  // Money from outside is there already; anything else without an instruction takes one back.
  if (from.kind === "outside" && reason === "deposit") return null;
  if (to.kind === "outside" || destination === null || from.kind === "house.loss") return null;
  return {
    businessKey: key,
    ...{ token, amount, cause, parkedId: parkedId ?? null },
    sourceWalletId: destination,
    destinationWalletId: source,
    destinationAddress: from.kind === "outside" ? from.address : null,
  };
}

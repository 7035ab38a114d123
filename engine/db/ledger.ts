/** Accounts, ledger rows and the instructions that follow from them. */
import { z } from "zod";
import { big, count, firstOf, id, rowsOf } from "./decode.ts";
import { mayBeMined } from "./payments.ts";
import type { Tx } from "./pool.ts";

/** What names an account; its backing wallet follows from it. */
export interface AccountKey {
  kind: string;
  token: string;
  playerId: string | null;
  gameId: string | null;
  /** Only for `suspense`: the wallet that the money landed in. */
  walletId: string | null;
}

const account = z.object({ position: count, id, wallet_id: id.nullable(), balance: big });
export type LockedAccount = { id: string; walletId: string | null; balance: bigint };

// The one rule that says which wallet backs an account.
const backingWallet = `CASE
    WHEN given.kind IN ('player.available', 'player.held', 'house.loss') THEN (SELECT id FROM wallet WHERE purpose = 'vault')
    WHEN given.kind = 'player.deposit' THEN (SELECT id FROM wallet WHERE wallet.player_id = given.player_id)
    WHEN given.kind IN ('escrow.stakes', 'house.rake', 'house.dust') THEN (SELECT id FROM wallet WHERE wallet.game_id = given.game_id)
    WHEN given.kind = 'suspense' THEN given.wallet_id
  END`;
const given = `unnest($1::text[], $2::text[], $3::bigint[], $4::uuid[], $5::bigint[])
  WITH ORDINALITY AS given (kind, token, player_id, game_id, wallet_id, position)`;
// Locks the given accounts in id order: `locked` has a row for each that is open.
// A player or a game has one account of a kind and token, whatever backs it; each branch is a look-up in an index.
const lockedAccounts = `wanted AS MATERIALIZED (
    SELECT given.position, found.id FROM ${given} CROSS JOIN LATERAL (
      SELECT id FROM account WHERE account.player_id = given.player_id AND account.kind = given.kind AND account.token = given.token
      UNION ALL
      SELECT id FROM account WHERE account.game_id = given.game_id AND account.kind = given.kind AND account.token = given.token
      UNION ALL
      SELECT id FROM account WHERE given.player_id IS NULL AND given.game_id IS NULL
        AND account.kind = given.kind AND account.token = given.token
        AND account.wallet_id IS NOT DISTINCT FROM (${backingWallet}) AND account.player_id IS NULL AND account.game_id IS NULL) AS found),
  row_locked AS MATERIALIZED (SELECT * FROM lock_accounts(ARRAY(SELECT id FROM wanted))),
  locked AS MATERIALIZED (
    SELECT wanted.position, row_locked.id, row_locked.kind, row_locked.wallet_id, row_locked.balance FROM wanted JOIN row_locked USING (id))`;
const parameters = (keys: AccountKey[]) => [
  keys.map((key) => key.kind),
  keys.map((key) => key.token),
  keys.map((key) => key.playerId),
  keys.map((key) => key.gameId),
  keys.map((key) => key.walletId),
];

/** Locks accounts in id order and answers them in the order asked for; null where one isn't open yet. */
export async function lockAccounts(tx: Tx, keys: AccountKey[]): Promise<(LockedAccount | null)[]> {
  const { rows } = await tx.query({
    name: "lock_accounts",
    text: `WITH ${lockedAccounts} SELECT position, id, wallet_id, balance FROM locked`,
    values: parameters(keys),
  });
  return inOrder(keys, rowsOf(account, rows));
}

function inOrder(keys: AccountKey[], rows: z.output<typeof account>[]): (LockedAccount | null)[] {
  const found = new Map(rows.map((row) => [row.position, row]));
  return keys.map((_, index) => {
    const row = found.get(index + 1);
    return row === undefined ? null : { id: row.id, walletId: row.wallet_id, balance: row.balance };
  });
}

/** Opens those that aren't open yet. */
export async function openAccounts(tx: Tx, keys: AccountKey[]): Promise<void> {
  await tx.query({
    name: "open_accounts",
    text: `INSERT INTO account (kind, token, wallet_id, player_id, game_id)
           SELECT DISTINCT given.kind, given.token, ${backingWallet}, given.player_id, given.game_id FROM ${given}
           ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING`,
    values: parameters(keys),
  });
}

export interface NewTransfer {
  /** Places in the list of accounts. */
  debit: number;
  credit: number;
  token: string;
  amount: bigint;
  reason: string;
  businessKey: string;
  /** The chain transfer that it is owed when it crosses wallets, if it is of a kind that is. */
  leg: NewLeg | null;
}
export interface NewLeg {
  kind: string;
  /** Outside; null is the wallet that backs the credited account. */
  destination: string | null;
}
/** What the chain transfers of one posting have in common. */
export interface Owing {
  cause: string;
  gameId: string | null;
  playerId: string | null;
  notBefore: Date | null;
  notBeforeBlock: bigint;
}
// A leg is a new instruction's, or one more of the instruction with the same source, token, destination and cause while
// nothing of that is signed.
const writing = `WITH ${lockedAccounts},
  moved AS MATERIALIZED (
    SELECT * FROM unnest($6::int[], $7::int[], $8::text[], $9::numeric[], $10::text[], $11::text[], $12::text[], $13::text[])
      WITH ORDINALITY AS moved (debit, credit, token, amount, reason, key, leg_kind, leg_destination, place)),
  played AS (
    SELECT locked.kind, balance + sum(delta) OVER (PARTITION BY position ORDER BY place) AS balance FROM (
      SELECT debit AS position, -amount AS delta, place FROM moved
      UNION ALL SELECT credit, amount, place FROM moved) AS deltas JOIN locked USING (position)),
  written AS (
    INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key)
    SELECT debited.id, credited.id, moved.token, amount, reason, key
    FROM moved JOIN locked debited ON debited.position = debit JOIN locked credited ON credited.position = credit
    WHERE (SELECT count(*) FROM locked) = cardinality($1::text[])
      AND NOT EXISTS (SELECT FROM played WHERE balance < 0 AND kind NOT IN ('outside', 'house.loss'))
    ORDER BY place RETURNING id, business_key),
  crossing AS MATERIALIZED (
    SELECT place, written.id AS transfer_id, leg_kind, debited.wallet_id AS source, moved.token, amount,
      coalesce(leg_destination, (SELECT address FROM wallet WHERE id = credited.wallet_id)) AS destination
    FROM moved JOIN written ON business_key = key
      JOIN locked debited ON debited.position = debit JOIN locked credited ON credited.position = credit
    WHERE leg_kind IS NOT NULL AND debited.wallet_id IS DISTINCT FROM credited.wallet_id),
  owed AS (
    INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause, game_id, player_id, state, not_before, not_before_block)
    SELECT (array_agg(leg_kind ORDER BY place))[1], source, token, destination, sum(amount), $14::text, $15::uuid, $16::bigint,
      CASE WHEN min(leg_kind) = 'collect' THEN 'gathering' ELSE 'queued' END, coalesce($17::timestamptz, now()), $18::bigint
    FROM crossing GROUP BY source, token, destination ORDER BY min(place)
    ON CONFLICT (source_wallet_id, token, destination, cause) WHERE state IN ('gathering', 'queued')
    DO UPDATE SET amount = instruction.amount + EXCLUDED.amount, changed_at = now(),
      not_before = greatest(instruction.not_before, EXCLUDED.not_before),
      not_before_block = greatest(instruction.not_before_block, EXCLUDED.not_before_block)
    RETURNING id, source_wallet_id, token, destination),
  leg AS (
    INSERT INTO instruction_leg (transfer_id, instruction_id)
    SELECT transfer_id, owed.id FROM crossing JOIN owed
      ON owed.source_wallet_id = source AND owed.token = crossing.token AND owed.destination = crossing.destination)`;
const writingParameters = (keys: AccountKey[], transfers: NewTransfer[], owing: Owing) => [
  ...parameters(keys),
  transfers.map((row) => row.debit + 1),
  transfers.map((row) => row.credit + 1),
  transfers.map((row) => row.token),
  transfers.map((row) => row.amount.toString()),
  transfers.map((row) => row.reason),
  transfers.map((row) => row.businessKey),
  transfers.map((row) => row.leg?.kind ?? null),
  transfers.map((row) => row.leg?.destination ?? null),
  owing.cause,
  owing.gameId,
  owing.playerId,
  owing.notBefore,
  owing.notBeforeBlock.toString(),
];
const writtenAccount = account.extend({ is_written: z.boolean(), instruction_ids: z.array(id) });

/**
 * Locks the accounts in id order and writes ledger rows between them in the order given, unless one isn't open or a balance
 * doesn't suffice: then none. The trigger moves the balances. Each row that crosses wallets is owed its leg. Answers the
 * accounts in the order asked for, null where one isn't open, with their balances from before, and the ids of the
 * instructions, each once. A known business key throws 23505.
 */
export async function writeTransfers(
  tx: Tx,
  keys: AccountKey[],
  transfers: NewTransfer[],
  owing: Owing,
): Promise<{ accounts: (LockedAccount | null)[]; isWritten: boolean; instructionIds: string[] }> {
  const { rows } = await tx.query({
    name: "write_transfers",
    text: `${writing} SELECT position, id, wallet_id, balance, EXISTS (SELECT FROM written) AS is_written,
             ARRAY(SELECT id FROM owed ORDER BY id) AS instruction_ids FROM locked`,
    values: writingParameters(keys, transfers, owing),
  });
  const found = rowsOf(writtenAccount, rows);
  const [first] = found;
  return {
    accounts: inOrder(keys, found),
    isWritten: first?.is_written ?? false,
    instructionIds: first?.instruction_ids ?? [],
  };
}

/**
 * What `writeTransfers` does, for when nobody will look at the answer: where that writes nothing, this fails
 * (`isUnwritten`), and names the first of the transfers.
 */
export async function writeTransfersSurely(
  tx: Tx,
  keys: AccountKey[],
  transfers: NewTransfer[],
  owing: Owing,
): Promise<void> {
  await tx.query({
    name: "write_transfers_surely",
    text: `${writing} SELECT refuse_unwritten($11[1]) WHERE NOT EXISTS (SELECT FROM written)`,
    values: writingParameters(keys, transfers, owing),
  });
}

const pair = z.object({
  debit_id: id,
  debit_wallet_id: id,
  debit_balance: big,
  credit_id: id,
  credit_wallet_id: id,
  credit_balance: big,
  transfer_id: id.nullable(),
});

/**
 * What `writeTransfers` does, sooner, for a transfer between two accounts of one player: locks
 * them in id order and writes the ledger row when the first holds enough. Null when one isn't open yet; without a
 * `transferId` nothing was written. Balances are those from before. A known business key throws 23505.
 */
export async function insertOwnTransfer(
  tx: Tx,
  transfer: Omit<NewTransfer, "debit" | "credit" | "leg"> & {
    playerId: string;
    fromKind: string;
    toKind: string;
  },
): Promise<{ debit: LockedAccount; credit: LockedAccount; transferId: string | null } | null> {
  const { rows } = await tx.query({
    name: "insert_own_transfer",
    text: `WITH locked AS MATERIALIZED (
             SELECT * FROM lock_accounts(ARRAY(
               SELECT id FROM account WHERE player_id = $1 AND token = $2 AND kind IN ($3, $4)))),
           pair AS MATERIALIZED (
             SELECT debit.id AS debit_id, debit.wallet_id AS debit_wallet_id, debit.balance AS debit_balance,
               credit.id AS credit_id, credit.wallet_id AS credit_wallet_id, credit.balance AS credit_balance
             FROM locked debit JOIN locked credit ON debit.kind = $3 AND credit.kind = $4),
           written AS (
             INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key)
             SELECT debit_id, credit_id, $2, $5::numeric, $6, $7 FROM pair WHERE debit_balance >= $5::numeric
             RETURNING id)
           SELECT pair.*, (SELECT id FROM written) AS transfer_id FROM pair`,
    values: [
      transfer.playerId,
      transfer.token,
      transfer.fromKind,
      transfer.toKind,
      transfer.amount.toString(),
      transfer.reason,
      transfer.businessKey,
    ],
  });
  const row = firstOf(pair, rows);
  if (row === null) return null;
  return {
    debit: { id: row.debit_id, walletId: row.debit_wallet_id, balance: row.debit_balance },
    credit: { id: row.credit_id, walletId: row.credit_wallet_id, balance: row.credit_balance },
    transferId: row.transfer_id,
  };
}

/** What takes an instruction back, or a part of it. */
export interface LegBack {
  /** Of the ledger transfer that goes the other way. */
  businessKey: string;
  sourceWalletId: string;
  token: string;
  /** The address of a wallet of ours, looked up by its id, or one outside. */
  destinationWalletId: string | null;
  destinationAddress: string | null;
  amount: bigint;
  cause: string;
  /** The parked instruction that it takes back; null for the one of this cause that waits. */
  parkedId: string | null;
}

const takingBack = (which: string): string => `WITH owed AS (
    UPDATE instruction SET amount = amount - $6::numeric, changed_at = now(),
      state = CASE WHEN amount = $6::numeric THEN 'cancelled' ELSE state END
    WHERE source_wallet_id = $2 AND token = $3 AND amount >= $6::numeric
      AND destination = coalesce($5::text, (SELECT address FROM wallet WHERE id = $4::bigint)) AND ${which}
    RETURNING id)
  INSERT INTO instruction_leg (transfer_id, instruction_id, sign) SELECT transfer.id, owed.id, -1 FROM owed JOIN transfer ON business_key = $1`;
const takingWaitingBack = takingBack("cause = $7 AND state IN ('gathering', 'queued')");
const takingParkedBack = takingBack(`id = $7::bigint AND state = 'parked' AND NOT ${mayBeMined}`);

/**
 * Takes a leg back with a transfer the other way, while nothing of the instruction is signed, or all that was has failed for
 * good. False when there is no such instruction any more: then the money is on its way and can't be called back.
 */
export async function takeLegBack(tx: Tx, leg: LegBack): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: leg.parkedId === null ? "take_leg_back" : "take_parked_leg_back",
    text: leg.parkedId === null ? takingWaitingBack : takingParkedBack,
    values: [
      leg.businessKey,
      leg.sourceWalletId,
      leg.token,
      leg.destinationWalletId,
      leg.destinationAddress,
      leg.amount.toString(),
      leg.parkedId ?? leg.cause,
    ],
  });
  return rowCount === 1;
}

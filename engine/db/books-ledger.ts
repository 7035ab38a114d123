/** What must be true of the ledger by itself. Each statement answers one line of text per fault. */
import { type BooksCheck, fault, mostFaults } from "./books.ts";
import { big, cellOf, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/** The row before on the same account, at the other end of it or the same; none before the first. */
const rowBefore = (account: string, sequence: string): string => `LATERAL (
    SELECT count(*) AS times, coalesce(min(hash), '\\x'::bytea) AS head, coalesce(min(balance), 0) AS balance FROM (
      SELECT hash, debit_balance AS balance FROM transfer WHERE debit_account_id = given.${account} AND debit_sequence = given.${sequence} - 1
      UNION ALL
      SELECT hash, credit_balance FROM transfer WHERE credit_account_id = given.${account} AND credit_sequence = given.${sequence} - 1) AS before)`;

/** Each row's hash follows from the row and from the rows before it on both accounts; sequences have no gap. */
const hashChain = `
  SELECT 'transfer ' || given.id || ' (' || business_key || ') is not what was written' AS fault
  FROM transfer given
    JOIN account debit ON debit.id = debit_account_id JOIN account credit ON credit.id = credit_account_id
    CROSS JOIN ${rowBefore("debit_account_id", "debit_sequence")} AS from_debit
    CROSS JOIN ${rowBefore("credit_account_id", "credit_sequence")} AS from_credit
  WHERE given.id BETWEEN $1 AND $2 AND (
    hash IS DISTINCT FROM transfer_hash(from_debit.head, from_credit.head, debit_account_id, credit_account_id,
      given.token, amount, reason, business_key, debit_sequence, credit_sequence)
    OR from_debit.times <> CASE debit_sequence WHEN 1 THEN 0 ELSE 1 END OR from_credit.times <> CASE credit_sequence WHEN 1 THEN 0 ELSE 1 END
    OR debit.token <> given.token OR credit.token <> given.token
    OR debit_balance <> from_debit.balance + CASE debit.kind WHEN 'house.loss' THEN amount ELSE -amount END
    OR credit_balance <> from_credit.balance + CASE credit.kind WHEN 'house.loss' THEN -amount ELSE amount END)
  ORDER BY given.id LIMIT ${mostFaults}`;

/** The id of the newest ledger row; 0 when there is none. */
export async function readLastRow(db: Queryable): Promise<number> {
  const { rows } = await db.query("SELECT coalesce(max(id), 0) AS last FROM transfer");
  return Number(cellOf(big, rows));
}

/** The first few rows of a range of ids that aren't what was written; each is held against the rows before it. */
export async function findChangedRows(
  db: Queryable,
  { from, to }: { from: number; to: number },
): Promise<string[]> {
  const { rows } = await db.query(hashChain, [from, to]);
  return rowsOf(fault, rows).map((row) => row.fault);
}

/** An account stands where its last row left it. */
const accountsFollow = `
  SELECT 'account ' || account.id || ' (' || kind || ') holds ' || account.balance || ', its rows make ' || coalesce(last.balance, 0) AS fault
  FROM account LEFT JOIN LATERAL (
    SELECT sequence, balance, hash FROM (
      (SELECT debit_sequence AS sequence, debit_balance AS balance, hash FROM transfer
       WHERE debit_account_id = account.id ORDER BY debit_sequence DESC LIMIT 1)
      UNION ALL
      (SELECT credit_sequence, credit_balance, hash FROM transfer
       WHERE credit_account_id = account.id ORDER BY credit_sequence DESC LIMIT 1)) AS ends
    ORDER BY sequence DESC LIMIT 1) AS last ON true
  WHERE account.balance <> coalesce(last.balance, 0) OR account.sequence <> coalesce(last.sequence, 0)
    OR account.head <> coalesce(last.hash, '\\x'::bytea)
  ORDER BY account.id`;

// What was lost counts against what is held.
const tokensBalance = `
  SELECT token || ': debits and credits differ by ' || sum(CASE kind WHEN 'house.loss' THEN -balance ELSE balance END) AS fault
  FROM account GROUP BY token HAVING sum(CASE kind WHEN 'house.loss' THEN -balance ELSE balance END) <> 0`;

const belowZero = `
  SELECT 'account ' || id || ' (' || kind || ') holds ' || balance AS fault FROM account WHERE balance < 0 AND kind <> 'outside'`;

const holds = `
  SELECT 'player ' || account.player_id || ' holds ' || balance || ' of ' || account.token || ', open offers ' || coalesce(sum(proposer_stake), 0) AS fault
  FROM account LEFT JOIN proposal ON proposal.state = 'pending' AND proposer_id = account.player_id AND proposal.token = account.token
  WHERE kind = 'player.held' GROUP BY account.id HAVING balance <> coalesce(sum(proposer_stake), 0)`;

const backing = `
  SELECT 'account ' || account.id || ' (' || kind || ') is backed by the wrong wallet' AS fault
  FROM account JOIN wallet ON wallet.id = wallet_id
  WHERE CASE WHEN kind IN ('player.available', 'player.held', 'house.loss') THEN purpose <> 'vault'
    WHEN kind = 'player.deposit' THEN wallet.player_id IS DISTINCT FROM account.player_id
    WHEN kind IN ('escrow.stakes', 'house.rake', 'house.dust') THEN wallet.game_id IS DISTINCT FROM account.game_id
    ELSE false END`;

export const ledgerChecks: readonly BooksCheck[] = [
  { number: 1, sql: accountsFollow },
  { number: 1, sql: tokensBalance },
  { number: 2, sql: belowZero },
  { number: 2, sql: holds },
  { number: 6, sql: backing },
];

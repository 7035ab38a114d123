/** What must be true of the ledger by itself. Each statement answers one line of text per fault. */
import type { BooksCheck } from "./books.ts";

/** Every row's hash follows from the row and from the rows before it on both accounts; sequences have no gap. */
const hashChain = `
  WITH touched AS (
    SELECT id, debit_account_id AS account_id, debit_sequence AS sequence, debit_balance AS balance, hash FROM transfer
    UNION ALL SELECT id, credit_account_id, credit_sequence, credit_balance, hash FROM transfer),
  chained AS (
    SELECT id, account_id, row_number() OVER own AS place, coalesce(lag(hash) OVER own, '\\x'::bytea) AS head,
      coalesce(lag(balance) OVER own, 0) AS before
    FROM touched WINDOW own AS (PARTITION BY account_id ORDER BY sequence))
  SELECT 'transfer ' || transfer.id || ' (' || business_key || ') is not what was written' AS fault
  FROM transfer
    JOIN account debit ON debit.id = debit_account_id JOIN account credit ON credit.id = credit_account_id
    JOIN chained from_debit ON from_debit.id = transfer.id AND from_debit.account_id = debit_account_id
    JOIN chained from_credit ON from_credit.id = transfer.id AND from_credit.account_id = credit_account_id
  WHERE hash IS DISTINCT FROM transfer_hash(from_debit.head, from_credit.head, debit_account_id, credit_account_id,
      transfer.token, amount, reason, business_key, debit_sequence, credit_sequence)
    OR debit_sequence <> from_debit.place OR credit_sequence <> from_credit.place
    OR debit.token <> transfer.token OR credit.token <> transfer.token
    OR debit_balance <> from_debit.before + CASE debit.kind WHEN 'house.loss' THEN amount ELSE -amount END
    OR credit_balance <> from_credit.before + CASE credit.kind WHEN 'house.loss' THEN -amount ELSE amount END
  ORDER BY transfer.id`;

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
  { number: 1, sql: hashChain },
  { number: 1, sql: accountsFollow },
  { number: 1, sql: tokensBalance },
  { number: 2, sql: belowZero },
  { number: 2, sql: holds },
  { number: 6, sql: backing },
];

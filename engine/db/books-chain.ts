/**
 * What must be true between the ledger and the chain's logs, as far as the database knows them. Each statement answers
 * one line of text per fault.
 */
import type { BooksCheck } from "./books.ts";

// `deposit:<log>:<inclusion>:in` credits a log, `…:back-<n>` takes it back to the outside.
const booked = `
  SELECT split_part(business_key, ':', 2)::bigint AS chain_log_id, sum(CASE reason WHEN 'deposit' THEN amount ELSE -amount END) AS amount,
    sum(CASE reason WHEN 'deposit' THEN 1 ELSE -1 END) AS times
  FROM transfer JOIN account debit ON debit.id = debit_account_id JOIN account credit ON credit.id = credit_account_id
  WHERE business_key ~ '^deposit:[0-9]{1,18}:' AND (debit.kind = 'outside' OR credit.kind = 'outside') GROUP BY 1`;

/** Each deposit's log is in the ledger exactly once while it is credited, and not at all otherwise. */
const creditedOnce = `
  WITH booked AS (${booked})
  SELECT 'deposit ' || deposit.id || ' (' || tx_hash || ') of ' || deposit.amount || ' is booked ' || coalesce(times, 0)
    || ' times with ' || coalesce(booked.amount, 0) AS fault
  FROM deposit JOIN chain_log ON chain_log.id = chain_log_id LEFT JOIN booked ON booked.chain_log_id = chain_log.id
  WHERE coalesce(booked.amount, 0) <> CASE WHEN credited THEN chain_log.amount ELSE 0 END
    OR coalesce(times, 0) <> CASE WHEN credited THEN 1 ELSE 0 END
    OR deposit.amount <> chain_log.amount OR deposit.token <> chain_log.token
    OR deposit.wallet_id IS DISTINCT FROM chain_log.recipient_wallet_id`;

/** No money came in without a log of the chain. */
const noDepositFromNowhere = `
  SELECT 'transfer ' || transfer.id || ' (' || business_key || ') credits a deposit that the chain doesn''t know' AS fault
  FROM transfer LEFT JOIN deposit
    ON chain_log_id = CASE WHEN business_key ~ '^deposit:[0-9]{1,18}:' THEN split_part(business_key, ':', 2)::bigint END
  WHERE reason = 'deposit' AND deposit.id IS NULL`;

/**
 * A final log into a wallet of ours means a deposit that is credited, or a move. Many at once are credited one after the
 * other, and while deposits are switched off they wait.
 */
const finalLogsMean = `
  SELECT 'log ' || chain_log.id || ' (' || tx_hash || ') is final and credited to nobody' AS fault
  FROM chain_log LEFT JOIN deposit ON chain_log_id = chain_log.id
  WHERE chain_log.canonical AND block_number <= (SELECT finalized_number FROM chain_cursor)
    AND CASE WHEN kind <> 'deposit' THEN deposit.id IS NOT NULL
      ELSE deposit.id IS NULL OR deposit.state = 'orphaned' OR (NOT credited AND deposit.created_at < now() - interval '10 minutes'
        AND (SELECT is_on AND changed_at < now() - interval '10 minutes' FROM switch WHERE name = 'deposits')) END`;

const depositStates = `
  SELECT 'deposit ' || deposit.id || ' is ' || deposit.state || CASE WHEN credited THEN ', credited' ELSE '' END
    || CASE WHEN canonical THEN '' ELSE ', and its block fell out of the chain' END AS fault
  FROM deposit JOIN chain_log ON chain_log.id = chain_log_id
  WHERE credited <> (deposit.state IN ('playable', 'final')) OR (NOT canonical AND deposit.state <> 'orphaned')
    OR (deposit.state = 'final' AND block_number > coalesce((SELECT finalized_number FROM chain_cursor), 0))`;

/** What lies in suspense is what nobody claimed and nobody sent back. */
const suspenseHeld = `
  WITH held AS (SELECT wallet_id, token, balance AS amount FROM account WHERE kind = 'suspense'),
  open AS (SELECT wallet_id, token, sum(amount) AS amount FROM deposit WHERE suspense_state = 'open' AND credited GROUP BY 1, 2)
  SELECT 'suspense in wallet ' || wallet_id || ' holds ' || coalesce(held.amount, 0) || ' of ' || token || ', open items ' || coalesce(open.amount, 0) AS fault
  FROM held FULL JOIN open USING (wallet_id, token) WHERE coalesce(held.amount, 0) <> coalesce(open.amount, 0)`;

/** What left a wallet of ours is exactly what one of its stored attempts was to do. */
const outgoingExplained = `
  SELECT chain_log.amount || ' of ' || chain_log.token || ' left wallet ' || chain_log.sender || ' in ' || tx_hash || ' without an instruction' AS fault
  FROM chain_log WHERE canonical AND sender_wallet_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM attempt JOIN chain_tx_instruction paid USING (chain_tx_id) JOIN instruction ON instruction.id = instruction_id
    WHERE hash = tx_hash AND source_wallet_id = sender_wallet_id AND paid.ordinal = chain_log.ordinal
      AND instruction.token = chain_log.token AND destination = recipient AND instruction.amount = chain_log.amount)`;

/** An instruction moves its money once, whichever of its attempts is mined. */
const paidOnce = `
  SELECT 'instruction ' || instruction_id || ' was carried out ' || count(*) || ' times' AS fault
  FROM chain_log JOIN attempt ON hash = tx_hash
    JOIN chain_tx_instruction paid ON paid.chain_tx_id = attempt.chain_tx_id AND paid.ordinal = chain_log.ordinal
    JOIN instruction ON instruction.id = instruction_id
  WHERE canonical AND sender_wallet_id = source_wallet_id AND instruction.token = chain_log.token GROUP BY instruction_id HAVING count(*) > 1`;

/**
 * The states of an instruction and of its transaction agree; and once its block is final, the exact transfer is in the
 * logs. Before that, a node alone may have left it out.
 */
const minedMeansPaid = `
  SELECT 'instruction ' || instruction.id || ' is ' || instruction.state || ', its transaction ' || coalesce(chain_tx.state, 'missing') AS fault
  FROM instruction LEFT JOIN instruction_tx chain_tx ON chain_tx.instruction_id = instruction.id AND chain_tx.state <> 'reverted'
  WHERE CASE
    WHEN instruction.state IN ('mined', 'final') THEN chain_tx.state IS DISTINCT FROM instruction.state
      OR chain_tx.block_number > (SELECT head_number FROM chain_cursor)
      OR (instruction.token IS NOT NULL AND (instruction.state = 'final' OR chain_tx.block_number <= (SELECT finalized_number FROM chain_cursor)) AND NOT EXISTS (
      SELECT FROM chain_log WHERE tx_hash = mined_hash AND canonical AND sender_wallet_id = source_wallet_id AND chain_log.ordinal = chain_tx.ordinal
        AND chain_log.block_number = chain_tx.block_number AND chain_log.token = instruction.token))
    WHEN instruction.state = 'sending' THEN chain_tx.state IS DISTINCT FROM 'open'
    ELSE chain_tx.id IS NOT NULL END`;

/** A wallet's nonces, those of its authorisations included, are 0, 1, 2 … up to the next one, each once. */
const noncesContiguous = `
  SELECT 'wallet ' || wallet.id || ' spent ' || count(nonce) || ' nonces up to ' || coalesce(max(nonce), -1) || ', the next one is ' || next_nonce AS fault
  FROM wallet LEFT JOIN (
    SELECT wallet_id, nonce FROM chain_tx UNION ALL SELECT wallet_id, nonce FROM authorisation) AS spent ON wallet_id = wallet.id
  GROUP BY wallet.id HAVING count(nonce) <> next_nonce OR coalesce(max(nonce) + 1, 0) <> next_nonce
    OR count(DISTINCT nonce) <> count(nonce)`;

const headsOrdered = `
  SELECT 'finalized ' || finalized_number || ', safe ' || safe_number || ', head ' || head_number || ', checked up to ' || coalesce(block_number, 0) AS fault
  FROM chain_cursor LEFT JOIN books_check ON true
  WHERE NOT (finalized_number <= safe_number AND safe_number <= head_number) OR finalized_number < coalesce(block_number, 0)`;

/** The blocks that we hold to be canonical follow on one another, and the head is the last of them. */
const blocksLinked = `
  SELECT 'block ' || block.number || ' doesn''t follow on the one before' AS fault
  FROM block JOIN block parent ON parent.number = block.number - 1 WHERE block.parent_hash <> parent.hash
  UNION ALL
  SELECT 'the head ' || head_number || ' isn''t the last block' FROM chain_cursor
  WHERE EXISTS (SELECT FROM block WHERE number > head_number OR (number = head_number AND hash <> head_hash))`;

export const chainChecks: readonly BooksCheck[] = [
  { number: 4, sql: creditedOnce },
  { number: 4, sql: noDepositFromNowhere },
  { number: 4, sql: finalLogsMean },
  { number: 4, sql: depositStates },
  { number: 4, sql: suspenseHeld },
  { number: 5, sql: outgoingExplained },
  { number: 5, sql: paidOnce },
  { number: 5, sql: minedMeansPaid },
  { number: 7, sql: noncesContiguous },
  { number: 10, sql: headsOrdered },
  { number: 10, sql: blocksLinked },
];

/** What must be true of games and of people who sign in. Each statement answers one line of text per fault. */
import type { BooksCheck } from "./books.ts";

/** A game that isn't over holds both stakes; one that is, nothing. */
const stakesInPlace = `
  SELECT 'game ' || game.id || ' is ' || state || ' and holds ' || coalesce(balance, 0) || ' of ' || red_stake + blue_stake AS fault
  FROM game LEFT JOIN account ON account.game_id = game.id AND kind = 'escrow.stakes' AND account.token = game.token
  WHERE coalesce(balance, 0) <> CASE WHEN deadline_at IS NULL THEN 0 ELSE red_stake + blue_stake END`;

/** Stakes in = payouts + refunds + rake + dust, each settlement taken back once at most, and a payout that went into the pool. */
const conserved = `
  WITH moved AS (
    SELECT coalesce(debit.game_id, credit.game_id) AS game_id, sum(amount) FILTER (WHERE reason = 'capture') AS captured,
      sum(CASE WHEN reason IN ('settlement_undone', 'payout_returned') THEN -amount ELSE amount END)
        FILTER (WHERE reason IN ('win', 'payout', 'stake_returned', 'rake', 'dust', 'settlement_undone', 'payout_returned')) AS given
    FROM transfer JOIN account debit ON debit.id = debit_account_id JOIN account credit ON credit.id = credit_account_id
    WHERE debit.kind = 'escrow.stakes' OR credit.kind = 'escrow.stakes' GROUP BY 1)
  SELECT 'game ' || game.id || ': ' || coalesce(captured, 0) || ' in, ' || coalesce(given, 0) || ' out' AS fault
  FROM game LEFT JOIN moved ON moved.game_id = game.id
  WHERE coalesce(captured, 0) <> red_stake + blue_stake
    OR coalesce(given, 0) <> CASE WHEN deadline_at IS NULL THEN red_stake + blue_stake ELSE 0 END`;

/** The stored outputs are what the ledger moved, and all of the pot. */
const settledAsWritten = `
  SELECT 'game ' || game.id || ' was not settled as written' AS fault
  FROM settlement JOIN game ON game.id = game_id
  WHERE undone_at IS NULL AND (
    (outputs->>'red')::numeric + (outputs->>'blue')::numeric + (outputs->>'rake')::numeric + (outputs->>'dust')::numeric <> red_stake + blue_stake
    OR EXISTS (SELECT FROM unnest(ARRAY['red', 'blue', 'rake', 'dust']) AS part WHERE (outputs->>part)::numeric <> coalesce(
      (SELECT amount FROM transfer WHERE business_key = 'game:' || game.id || ':settlement:' || settlement_number || ':' || part), 0)))`;

/** What the house earned is there until it is swept. */
const rakeKept = `
  SELECT account.kind || ' of game ' || game.id || ' holds ' || balance || ', earned and not swept ' || earned.amount AS fault
  FROM account JOIN game ON game.id = account.game_id
    CROSS JOIN LATERAL (
      SELECT coalesce((SELECT (outputs->>split_part(account.kind, '.', 2))::numeric FROM settlement WHERE game_id = game.id AND undone_at IS NULL), 0)
        - coalesce((SELECT sum(amount) FROM transfer WHERE debit_account_id = account.id AND reason = 'sweep'), 0) AS amount) AS earned
  WHERE account.kind IN ('house.rake', 'house.dust') AND balance <> earned.amount`;

const oneSettlement = `
  SELECT 'game ' || game.id || ' is ' || state || ' with ' || count(settlement.id) || ' settlements' AS fault
  FROM game LEFT JOIN settlement ON game_id = game.id AND undone_at IS NULL
  GROUP BY game.id HAVING count(settlement.id) <> CASE WHEN deadline_at IS NULL THEN 1 ELSE 0 END`;

/** Both stakes came in with the start and none after it: one transaction, one moment. */
const noLateStake = `
  SELECT 'game ' || game_id || ' has ' || count(*) || ' stakes of ' || count(DISTINCT transfer.created_at) || ' moments' AS fault
  FROM transfer JOIN account ON account.id = credit_account_id WHERE reason = 'capture'
  GROUP BY game_id HAVING count(*) <> 2 OR count(DISTINCT transfer.created_at) <> 1`;

/** A nonce is a primary key, and one conditional statement marks it used: never after its time. */
const nonceUsedInTime = `
  SELECT 'sign-in nonce ' || left(nonce, 8) || '… was used out of its time' AS fault
  FROM sign_in_challenge WHERE consumed_at > expires_at`;

export const gameChecks: readonly BooksCheck[] = [
  { number: 3, sql: stakesInPlace },
  { number: 3, sql: conserved },
  { number: 3, sql: settledAsWritten },
  { number: 3, sql: rakeKept },
  { number: 8, sql: oneSettlement },
  { number: 8, sql: noLateStake },
  { number: 9, sql: nonceUsedInTime },
];

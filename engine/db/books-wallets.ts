/** What ties the ledger to the chain: instructions are exactly the transfers that cross wallets, and each wallet holds what it backs. */
import { z } from "zod";
import type { BooksCheck } from "./books.ts";
import { big, count, id, rowsOf } from "./decode.ts";
import type { Queryable } from "./pool.ts";

/**
 * A transfer across wallets owes the chain a transfer; one that takes it back has a leg with a minus sign. What the
 * chain did by itself (a deposit, its vanishing, a loss) owes nothing.
 */
const legs = `
  SELECT 'transfer ' || transfer.id || ' (' || business_key || ') has '
    || CASE WHEN leg.transfer_id IS NULL THEN 'no instruction' ELSE 'an instruction that isn''t its own' END AS fault
  FROM transfer JOIN account debit ON debit.id = debit_account_id JOIN account credit ON credit.id = credit_account_id
    LEFT JOIN instruction_leg leg ON leg.transfer_id = transfer.id LEFT JOIN instruction ON instruction.id = leg.instruction_id
    CROSS JOIN LATERAL (SELECT CASE
      WHEN debit.wallet_id IS NOT DISTINCT FROM credit.wallet_id THEN 0
      WHEN reason IN ('collect', 'capture', 'win', 'payout', 'stake_returned', 'withdrawal', 'sweep', 'suspense_claimed', 'suspense_refunded') THEN 1
      WHEN reason IN ('settlement_undone', 'withdrawal_returned', 'payout_returned', 'refund_returned') THEN -1
      WHEN reason = 'deposit_orphaned' AND credit.kind <> 'outside' THEN -1
      ELSE 0 END AS sign) AS wanted
    LEFT JOIN wallet other ON other.id = CASE wanted.sign WHEN 1 THEN credit.wallet_id ELSE debit.wallet_id END
  WHERE coalesce(leg.sign, 0) <> wanted.sign
    OR wanted.sign <> 0 AND (instruction.token <> transfer.token
      OR instruction.source_wallet_id <> CASE wanted.sign WHEN 1 THEN debit.wallet_id ELSE credit.wallet_id END
      OR (other.id IS NOT NULL AND instruction.destination IS DISTINCT FROM other.address))`;

/** An instruction sends what its transfers add up to, no more. One that was called off sends nothing. */
const amounts = `
  SELECT 'instruction ' || instruction.id || ' (' || instruction.state || ') sends ' || instruction.amount || ', its transfers make ' || coalesce(legs.amount, 0) AS fault
  FROM instruction LEFT JOIN (
    SELECT instruction_id, sum(sign * transfer.amount) AS amount FROM instruction_leg JOIN transfer ON transfer.id = transfer_id GROUP BY 1) AS legs
    ON legs.instruction_id = instruction.id
  WHERE instruction.kind NOT IN ('topup', 'deploy') AND (instruction.amount <> coalesce(legs.amount, 0) OR (instruction.state = 'cancelled' AND instruction.amount <> 0))`;

export const walletChecks: readonly BooksCheck[] = [
  { number: 6, sql: legs },
  { number: 6, sql: amounts },
];

const expected = z.object({ wallet_id: id, address: z.string(), token: z.string(), amount: big });
export type ExpectedBalance = z.output<typeof expected>;
const numbered = expected.extend({ total: count });

/**
 * What each wallet must hold on the chain at the end of a final block: the accounts that it backs, less deposits that
 * came later, plus those of that time that aren't credited yet, less what was still to come in by instructions, plus
 * what was still to go out. A transaction in a block up to that one counts as done, whatever its state says by now.
 * Of a listed token a wallet in use holds nothing but what the books know of.
 *
 * Of more than `atOnce` come those of the vault, the gas wallet and the newest wallets, and one part of the older ones:
 * each turn another. Older ones keep their places when wallets are added.
 */
export async function readExpectedBalances(
  db: Queryable,
  { atBlock, atOnce, turn }: { atBlock: bigint; atOnce: number; turn: number },
): Promise<{ balances: ExpectedBalance[]; areAll: boolean }> {
  const { rows } = await db.query(
    `WITH undone AS (
       SELECT instruction.* FROM instruction WHERE token IS NOT NULL AND state <> 'cancelled' AND NOT EXISTS (
         SELECT FROM instruction_tx WHERE instruction_id = instruction.id AND instruction_tx.state IN ('mined', 'final') AND block_number <= $1)),
     part AS (
       SELECT wallet_id, token, CASE kind WHEN 'house.loss' THEN -balance ELSE balance END AS amount
       FROM account WHERE wallet_id IS NOT NULL
       UNION ALL
       SELECT deposit.wallet_id, deposit.token, CASE WHEN credited THEN -deposit.amount ELSE deposit.amount END
       FROM deposit JOIN chain_log ON chain_log.id = chain_log_id
       WHERE canonical AND credited = (block_number > $1)
       UNION ALL
       SELECT wallet.id, token, -amount FROM undone JOIN wallet ON wallet.address = destination
       UNION ALL
       SELECT source_wallet_id, token, amount FROM undone
       UNION ALL
       SELECT wallet.id, token.address, 0 FROM wallet CROSS JOIN token
       WHERE listed AND (purpose IN ('vault', 'gas') OR player_id IS NOT NULL OR game_id IS NOT NULL)),
     placed AS (
       SELECT wallet_id, address, token, sum(amount) AS amount, count(*) OVER () AS total,
         row_number() OVER (ORDER BY purpose = 'vault', purpose = 'gas', wallet_id, token) - 1 AS place
       FROM part JOIN wallet ON wallet.id = wallet_id
       WHERE address IS NOT NULL GROUP BY wallet_id, purpose, address, token)
     SELECT wallet_id, address, token, amount, total FROM placed
     WHERE place >= total - $2 OR place / $2 = $3 % greatest((total - 1) / $2, 1)
     ORDER BY place DESC`,
    [atBlock.toString(), atOnce, turn],
  );
  const balances = rowsOf(numbered, rows);
  return { balances, areAll: balances.length === (balances[0]?.total ?? 0) };
}

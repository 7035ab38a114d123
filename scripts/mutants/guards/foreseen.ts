import type { Guard } from "./guard.ts";

const atOnce = "engine/services/at-once.ts";
const foresight = "engine/db/foresight.ts";

const whereForeseen = (name: string, file: string, guard: string, instead: string): Guard => ({
  name: `at once: ${name}`,
  file,
  guard,
  instead,
  tests: ["test/services/at-once.test.ts"],
});

/** What stands between a reading that is out of date and a credit. */
export const foreseen: readonly Guard[] = [
  whereForeseen(
    "only on the head that was foreseen",
    foresight,
    "WHERE head_hash = $5 AND safe_number",
    "WHERE $5 <> '' AND safe_number",
  ),
  whereForeseen("only with what was safe then", foresight, "safe_number = $6 AND", "safe_number >= $6 AND"),
  whereForeseen(
    "only with what was final then",
    foresight,
    "finalized_number = $7 AND",
    "finalized_number >= $7 AND",
  ),
  whereForeseen(
    "not while a recovery stands",
    foresight,
    "NOT EXISTS (SELECT FROM recovery WHERE ended_at IS NULL)",
    "true",
  ),
  whereForeseen(
    "not while deposits are switched off",
    foresight,
    "AND (SELECT is_on FROM switch WHERE name = 'deposits')",
    "",
  ),
  whereForeseen(
    "not while another deposit waits",
    foresight,
    "AND NOT EXISTS (SELECT FROM deposit WHERE state = 'seen' AND NOT credited)",
    "",
  ),
  whereForeseen(
    "not when more is in play",
    foresight,
    "WHERE now.amount > coalesce(foreseen.amount, 0))",
    "WHERE false)",
  ),
  whereForeseen(
    "not when somebody else has money in play",
    foresight,
    "coalesce(foreseen.amount, 0)",
    "foreseen.amount",
  ),
  whereForeseen(
    "not when more of another token is in play",
    foresight,
    "foreseen.player_id = now.player_id AND foreseen.token = now.token",
    "foreseen.player_id = now.player_id",
  ),
  whereForeseen(
    "what isn't as foreseen is refused",
    foresight,
    "SELECT refuse_unwritten('block ' || $1) WHERE NOT EXISTS (SELECT FROM moved)",
    "SELECT 'block ' || $1 WHERE NOT EXISTS (SELECT FROM moved)",
  ),
  whereForeseen("with the cursor locked before", atOnce, "      lockCursor(tx),\n", ""),
  whereForeseen("only a block that follows", atOnce, " || !follows(cursor, block)", ""),
  whereForeseen("not with a transaction of ours", atOnce, " || parties.attempts.size > 0", ""),
  whereForeseen(
    "only what may be played with",
    atOnce,
    "if (choosePlayable(context, { deposits, exposed }, heads).length < deposits.length) return false;",
    "",
  ),
  whereForeseen(
    "what isn't final is counted",
    atOnce,
    "deposits.flatMap((deposit) => exposureOf(deposit, heads))",
    "deposits.slice(0, 0).flatMap((deposit) => exposureOf(deposit, heads))",
  ),
  whereForeseen("nothing but deposits", atOnce, " || deposits.length < transfers.length", ""),
  whereForeseen("a refusal leads to the plain way", atOnce, "isUnwritten(error) || ", ""),
  whereForeseen(
    "a log that is known leads to the plain way",
    atOnce,
    'isUniqueViolation(error, "chain_log_tx_hash_token_ordinal_key") || ',
    "",
  ),
  whereForeseen("whoever is in the way leads to the plain way", atOnce, " || isRetriable(error)", ""),
];

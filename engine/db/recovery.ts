/** Books that are older than the world. While a recovery stands, nothing leaves (`mayMoneyLeave`). */
import { z } from "zod";
import { putGamesLater } from "./clocks.ts";
import { big, cellOf, count, firstCellOf, firstOf, flag, id, moment, oneOf, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";

const recovery = z.object({
  id,
  cause: z.string(),
  began_at: moment,
  from_block: big,
  until_block: big.nullable(),
});
export type Recovery = z.output<typeof recovery>;

/** The one that stands, or null. */
export async function readRecovery(db: Queryable): Promise<Recovery | null> {
  const { rows } = await db.query({
    name: "read_recovery",
    text: "SELECT id, cause, began_at, from_block, until_block FROM recovery WHERE ended_at IS NULL",
  });
  return firstOf(recovery, rows);
}

/** So many indexes of each purpose may have been handed out since; more are looked for from there. */
export const indexesAhead = 200;

/**
 * Begins one, unless one stands. Addresses that wait for an owner may have got one since, and so may the next indexes:
 * none of them is given to anybody any more. Their addresses are derived at the next start.
 */
export async function beginRecovery(db: Queryable, { cause }: { cause: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO recovery (cause, from_block) VALUES ($1, coalesce((SELECT finalized_number FROM chain_cursor), 0))
     ON CONFLICT ((true)) WHERE ended_at IS NULL DO NOTHING`,
    [cause],
  );
  if (rowCount !== 1) return false;
  await db.query(
    "UPDATE wallet SET retired = true WHERE purpose IN ('deposit', 'escrow') AND player_id IS NULL AND game_id IS NULL",
  );
  for (const purpose of ["deposit", "escrow"] as const) await retireAhead(db, purpose);
  await reopenGames(db);
  return true;
}

const lastKnown = z.object({ at: moment, since: moment });
/**
 * What the books saw open at last may have run out since: it has all its time again. Nobody is told: the process is
 * started anew, and clients read everything when they come back.
 */
async function reopenGames(db: Queryable): Promise<void> {
  const { rows } = await db.query(
    "SELECT now() AS at, coalesce((SELECT moved_at FROM chain_cursor), now()) AS since",
  );
  await putGamesLater(db, { ...oneOf(lastKnown, rows), share: 1 });
}

/**
 * Whether a recovery stands and the chain isn't read up to where it was found yet: until then the balances don't know what
 * was withdrawn since. Each withdrawal that is found takes its account's lock, so that with that lock this is the last word.
 */
export async function isReadingAgain(db: Queryable): Promise<boolean> {
  const { rows } = await db.query({
    name: "is_reading_again",
    text: `SELECT EXISTS (SELECT FROM recovery WHERE ended_at IS NULL
             AND coalesce(until_block > (SELECT head_number FROM chain_cursor), true)) AS is_reading`,
  });
  return cellOf(flag, rows);
}

/** Takes the next indexes of a purpose out of use, without knowing their addresses yet. */
export async function retireAhead(db: Queryable, purpose: "deposit" | "escrow"): Promise<void> {
  await db.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.wallet.' || $1))", [purpose]);
  await db.query(
    `INSERT INTO wallet (purpose, derivation_index, retired)
     SELECT $1, coalesce((SELECT max(derivation_index) FROM wallet WHERE purpose = $1), -1) + place, true FROM generate_series(1, $2::int) AS place`,
    [purpose, indexesAhead],
  );
}

const address = z.object({ address: z.string() });
/** The last addresses of a purpose: life there means that more were handed out behind them. */
export async function readLastAddresses(
  db: Queryable,
  { purpose, limit }: { purpose: "deposit" | "escrow"; limit: number },
): Promise<string[]> {
  const { rows } = await db.query(
    "SELECT address FROM wallet WHERE purpose = $1 AND address IS NOT NULL ORDER BY derivation_index DESC LIMIT $2",
    [purpose, limit],
  );
  return rowsOf(address, rows).map((row) => row.address);
}

const highest = z.object({ next_index: z.number() });
/** The first index of a purpose that the books have never used. */
export async function readNextIndex(db: Queryable, purpose: "deposit" | "escrow"): Promise<number> {
  const { rows } = await db.query(
    "SELECT coalesce(max(derivation_index) + 1, 0) AS next_index FROM wallet WHERE purpose = $1",
    [purpose],
  );
  return firstOf(highest, rows)?.next_index ?? 0;
}

export async function setUntilBlock(db: Queryable, untilBlock: bigint): Promise<void> {
  await db.query("UPDATE recovery SET until_block = coalesce(until_block, $1) WHERE ended_at IS NULL", [
    untilBlock.toString(),
  ]);
}

/** Ends one; null when it doesn't stand any more. */
export async function endRecovery(
  tx: Tx,
  input: { id: string; by: string; reason: string; at: Date },
): Promise<Recovery | null> {
  const { rows } = await tx.query(
    `UPDATE recovery SET ended_at = $1, ended_by = $2, end_reason = $3 WHERE ended_at IS NULL AND id = $4
     RETURNING id, cause, began_at, from_block, until_block`,
    [input.at, input.by, input.reason, input.id],
  );
  return firstOf(recovery, rows);
}

const spending = z.object({
  id,
  address: z.string(),
  purpose: z.enum(["vault", "gas", "deposit", "escrow"]),
  next_nonce: big,
});
export type SpendingWallet = z.output<typeof spending>;
/**
 * Wallets that can have sent something: the vault and the gas wallet, and, the newest first, those that did by the
 * books or that had money.
 */
export async function readSpendingWallets(db: Queryable, limit = 100_000): Promise<SpendingWallet[]> {
  const { rows } = await db.query(
    `SELECT id, address, purpose, next_nonce FROM wallet WHERE address IS NOT NULL AND (
       next_nonce > 0 OR purpose IN ('vault', 'gas') OR EXISTS (
         SELECT FROM chain_log WHERE sender_wallet_id = wallet.id OR recipient_wallet_id = wallet.id))
     ORDER BY purpose IN ('vault', 'gas') DESC, id DESC LIMIT $1`,
    [limit],
  );
  return rowsOf(spending, rows);
}

const nonce = z.object({ nonce: big });
/** Nonces that the chain says are spent and the books have neither a transaction nor an authorisation for, ascending. */
export async function readMissingNonces(
  db: Queryable,
  { walletId, spent, limit }: { walletId: string; spent: bigint; limit: number },
): Promise<bigint[]> {
  const { rows } = await db.query(
    `SELECT nonce FROM generate_series(0, $2::bigint - 1) AS nonce
     WHERE NOT EXISTS (SELECT FROM chain_tx WHERE wallet_id = $1 AND chain_tx.nonce = nonce.nonce)
       AND NOT EXISTS (SELECT FROM authorisation WHERE wallet_id = $1 AND authorisation.nonce = nonce.nonce) ORDER BY nonce LIMIT $3`,
    [walletId, spent.toString(), limit],
  );
  return rowsOf(nonce, rows).map((row) => row.nonce);
}

const unsettled = z.object({ nonce: big, hashes: z.array(z.string()) });
/** Nonces that are spent on the chain by something that the books don't see done yet, with our attempts for them. */
export async function readUnsettledNonces(
  db: Queryable,
  { walletId, spent }: { walletId: string; spent: bigint },
): Promise<z.output<typeof unsettled>[]> {
  const { rows } = await db.query(
    `SELECT nonce, (SELECT coalesce(array_agg(hash::text), '{}') FROM attempt WHERE chain_tx_id = chain_tx.id) AS hashes
     FROM chain_tx WHERE wallet_id = $1 AND state = 'open' AND nonce < $2 ORDER BY nonce`,
    [walletId, spent.toString()],
  );
  return rowsOf(unsettled, rows);
}

const stray = z.object({
  id,
  tx_hash: z.string(),
  token: z.string(),
  sender: z.string(),
  recipient: z.string(),
  amount: big,
  block_number: big,
  sender_wallet_id: id,
});
export type Stray = z.output<typeof stray>;
/** Transfers out of our wallets that nothing in the books explains. */
export async function readStrays(db: Queryable, limit: number): Promise<Stray[]> {
  const { rows } = await db.query(
    `SELECT id, tx_hash, token, sender, recipient, amount, block_number, sender_wallet_id FROM chain_log
     WHERE canonical AND kind = 'stray' ORDER BY id LIMIT $1`,
    [limit],
  );
  return rowsOf(stray, rows);
}

/** How many transactions of ours are on the chain and not final in the books yet. */
export async function countUnderWay(db: Queryable): Promise<number> {
  const { rows } = await db.query("SELECT count(*)::int AS open FROM chain_tx WHERE state = 'mined'");
  return firstCellOf(count, rows) ?? 0;
}

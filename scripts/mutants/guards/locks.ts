import type { Guard } from "./guard.ts";

const allocating = "engine/db/allocating.ts";
const gasWallet = "engine/db/gas-wallet.ts";
const fasterTransfers = "engine/db/migrations/0005_one_look_per_transfer.sql";
const plannedOnce = "engine/db/migrations/0021_planned_once.sql";

const lock = (name: string, file: string, guard: string, instead: string, ...tests: string[]): Guard => ({
  name: `lock: ${name}`,
  file,
  guard,
  instead,
  tests,
});

/** Held by a function that answers a row: the second who asks for it waits, or gets the next. */
const row = (name: string, file: string, guard: string, instead: string): Guard =>
  lock(name, file, guard, instead, "test/db/locks.test.ts");

const reserving = `await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.wallet.' || $1))", [purpose]);`;

/** Locks: what one does at a time. */
export const locks: readonly Guard[] = [
  lock(
    "both accounts of a transfer",
    fasterTransfers,
    " ORDER BY id FOR UPDATE LOOP",
    " ORDER BY id LOOP",
    "test/db/ledger.test.ts",
  ),
  row(
    "accounts before they are read",
    plannedOnce,
    "WHERE id = ANY (ids) ORDER BY id FOR UPDATE",
    "WHERE id = ANY (ids) ORDER BY id",
  ),
  row(
    "an offer that is answered",
    "engine/db/proposals.ts",
    '= $1)" : ""} ORDER BY id FOR UPDATE`',
    '= $1)" : ""} ORDER BY id`',
  ),
  row("an offer that lapses", "engine/db/proposals.ts", " LIMIT 1 FOR UPDATE SKIP LOCKED", " LIMIT 1"),
  row(
    "a game that something is done to",
    "engine/db/games.ts",
    "FROM game WHERE id = $1 FOR UPDATE",
    "FROM game WHERE id = $1",
  ),
  row("a game whose clock runs out", "engine/db/games.ts", " LIMIT 1 FOR UPDATE SKIP LOCKED", " LIMIT 1"),
  row(
    "a wallet whose nonces are spent",
    allocating,
    "FROM wallet WHERE id = $1 FOR UPDATE",
    "FROM wallet WHERE id = $1",
  ),
  lock(
    "the wallet, before its nonces are spent one by one",
    allocating,
    "  await lockWallet(tx, walletId);\n  const { rows }",
    "  const { rows }",
    "test/db/sending.test.ts",
  ),
  lock(
    "both wallets, before a batch spends their nonces",
    allocating,
    "for (const walletId of [gasWalletId, sourceWalletId]) await lockWallet(tx, walletId);",
    "",
    "test/db/sending.test.ts",
  ),
  row(
    "a wallet whose nonces are given back",
    "engine/db/nonces.ts",
    'SELECT 1 FROM wallet WHERE id = $1 FOR UPDATE"',
    'SELECT 1 FROM wallet WHERE id = $1"',
  ),
  row("the cursor", "engine/db/cursor.ts", "FROM chain_cursor FOR UPDATE", "FROM chain_cursor"),
  row("a spare wallet", "engine/db/wallets.ts", " LIMIT 1 FOR UPDATE SKIP LOCKED)", " LIMIT 1)"),
  row(
    "a stray deposit that is claimed",
    "engine/db/suspense.ts",
    " LIMIT $2 FOR UPDATE OF deposit",
    " LIMIT $2",
  ),
  row(
    "a stray deposit that was claimed before a restore",
    "engine/db/suspense.ts",
    " LIMIT 500 FOR UPDATE OF deposit",
    " LIMIT 500",
  ),
  row(
    "a payout that was taken into the pool before a restore",
    "engine/db/adopting.ts",
    "ORDER BY id LIMIT 2 FOR UPDATE",
    "ORDER BY id LIMIT 2",
  ),
  row(
    "a stray deposit that is sent back",
    "engine/db/suspense.ts",
    "FROM deposit WHERE id = $1 FOR UPDATE",
    "FROM deposit WHERE id = $1",
  ),
  row(
    "a deposit that is credited",
    "engine/db/deposits.ts",
    "ORDER BY deposit.id FOR UPDATE OF deposit",
    "ORDER BY deposit.id",
  ),
  row(
    "a deposit that is taken back",
    "engine/db/deposits.ts",
    "ORDER BY deposit.id DESC FOR UPDATE OF deposit",
    "ORDER BY deposit.id DESC",
  ),
  row(
    "offers that hold what is taken back",
    "engine/db/held-offers.ts",
    "ORDER BY created_at DESC, id FOR UPDATE",
    "ORDER BY created_at DESC, id",
  ),
  row(
    "an instruction that a transaction is found for",
    "engine/db/adopting.ts",
    "ORDER BY id LIMIT 1 FOR UPDATE",
    "ORDER BY id LIMIT 1",
  ),
  row(
    "a player, whose first wallet changes",
    "engine/db/players.ts",
    "FROM player WHERE id = $1 FOR UPDATE",
    "FROM player WHERE id = $1",
  ),
  row(
    "ether that is on its way to a wallet",
    gasWallet,
    `await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.topup'))");`,
    "",
  ),
  row(
    "the executor's one deployment",
    gasWallet,
    `await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.deploy'))");`,
    "",
  ),
  row(
    "a frozen wallet that is looked at",
    "engine/db/frozen.ts",
    " FOR UPDATE`, [walletId]",
    "`, [walletId]",
  ),
  row("who reserves a wallet's index", "engine/db/wallets.ts", reserving, ""),
  row("who takes wallets' indexes out of use", "engine/db/recovery.ts", reserving.replace("tx", "db"), ""),
  row(
    "a player, whose link to a room is replaced",
    "engine/db/overlays.ts",
    "FROM player WHERE id = $1 FOR NO KEY UPDATE",
    "FROM player WHERE id = $1",
  ),
  row(
    "a game whose clock is put later",
    "engine/db/clocks.ts",
    "ORDER BY id FOR UPDATE OF game",
    "ORDER BY id",
  ),
  row(
    "an offer that is put later",
    "engine/db/clocks.ts",
    "WHERE state = 'pending' ORDER BY id FOR UPDATE",
    "WHERE state = 'pending' ORDER BY id",
  ),
  row(
    "sessions that are dropped",
    "engine/db/sessions.ts",
    " LIMIT 100 FOR UPDATE SKIP LOCKED",
    " LIMIT 100",
  ),
  row(
    "sign-ins that are dropped",
    "engine/db/challenges.ts",
    " LIMIT 100 FOR UPDATE SKIP LOCKED",
    " LIMIT 100",
  ),
  row(
    "the schema, while it is migrated",
    "engine/db/migrate.ts",
    `await client.query("SELECT pg_advisory_lock(hashtext('on_the_rail.migrate'))");`,
    "",
  ),
  row(
    "the schema, while a copy is brought back",
    "engine/db/backup.ts",
    `await client.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.migrate'))");`,
    "",
  ),
  row(
    "the lease, while work is done under it",
    "engine/db/lease.ts",
    "AND fence = $2 FOR SHARE",
    "AND fence = $2",
  ),
];

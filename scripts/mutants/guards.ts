/** What stands between a mistake and somebody's money, each with the tests that must fail when it is gone. */

export interface Guard {
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  guard: string;
  instead: string;
  tests: string[];
}

const ledger = "engine/db/migrations/0001_ledger.sql";
const chain = "engine/db/migrations/0002_chain.sql";
const wager = "engine/db/migrations/0003_wager.sql";
const paidTogether = "engine/db/migrations/0012_paid_together.sql";
const service = "engine/db/migrations/0004_service.sql";
const recovery = "engine/db/migrations/0011_recovery.sql";
const due = "engine/db/due.ts";
const allocating = "engine/db/allocating.ts";
const confirming = "engine/db/confirming.ts";
const gasWallet = "engine/db/gas-wallet.ts";
const fasterTransfers = "engine/db/migrations/0005_one_look_per_transfer.sql";

const key = (name: string, file: string, guard: string, instead: string): Guard => ({
  name: `key: ${name}`,
  file,
  guard,
  instead,
  tests: ["test/db/keys.test.ts"],
});

const uniqueKeys: Guard[] = [
  key(
    "a business key moves money once",
    ledger,
    "business_key text NOT NULL UNIQUE CHECK",
    "business_key text NOT NULL CHECK",
  ),
  key(
    "one account a purpose",
    ledger,
    ",\n  UNIQUE NULLS NOT DISTINCT (kind, token, wallet_id, player_id, game_id)",
    "",
  ),
  key("an address is one wallet", ledger, "address evm_address UNIQUE", "address evm_address"),
  key("a derivation index is one wallet", ledger, "  UNIQUE (purpose, derivation_index),\n", ""),
  key("a game has one escrow wallet", ledger, "game_id uuid UNIQUE", "game_id uuid"),
  key(
    "a player has one deposit address",
    ledger,
    "CREATE UNIQUE INDEX wallet_player_id_key",
    "CREATE INDEX wallet_player_id_key",
  ),
  key(
    "one vault, one gas wallet",
    ledger,
    "CREATE UNIQUE INDEX wallet_single_key",
    "CREATE INDEX wallet_single_key",
  ),
  key("a log is known once", chain, ",\n  UNIQUE (tx_hash, token, ordinal)", ""),
  key("a log is one deposit", chain, "chain_log_id bigint NOT NULL UNIQUE", "chain_log_id bigint NOT NULL"),
  key("an exposure counts once", chain, "business_key text NOT NULL UNIQUE", "business_key text NOT NULL"),
  key(
    "what is alike is owed together",
    chain,
    "CREATE UNIQUE INDEX instruction_merge_key",
    "CREATE INDEX instruction_merge_key",
  ),
  key("a ledger row is owed once", chain, "transfer_id bigint PRIMARY KEY", "transfer_id bigint NOT NULL"),
  key("a nonce is spent once", chain, ",\n  UNIQUE (wallet_id, nonce)", ""),
  key(
    "an instruction has one nonce",
    paidTogether,
    "CREATE UNIQUE INDEX chain_tx_instruction_key",
    "CREATE INDEX chain_tx_instruction_key",
  ),
  key("a place in a batch is one instruction's", paidTogether, "  PRIMARY KEY (chain_tx_id, ordinal),\n", ""),
  key("an authorisation's nonce is spent once", paidTogether, ",\n  PRIMARY KEY (wallet_id, nonce)", ""),
  key("attempts are numbered", chain, ",\n  UNIQUE (chain_tx_id, number)", ""),
  key(
    "a withdrawal has one instruction",
    chain,
    "CREATE UNIQUE INDEX withdrawal_instruction_key",
    "CREATE INDEX withdrawal_instruction_key",
  ),
  key("a proposal starts one game", wager, "proposal_id uuid NOT NULL UNIQUE", "proposal_id uuid NOT NULL"),
  key(
    "an escrow wallet serves one game",
    wager,
    "escrow_wallet_id bigint NOT NULL UNIQUE",
    "escrow_wallet_id bigint NOT NULL",
  ),
  key(
    "one settlement stands",
    wager,
    "CREATE UNIQUE INDEX settlement_standing_key",
    "CREATE INDEX settlement_standing_key",
  ),
  key("an idempotency key has one effect", service, ",\n  PRIMARY KEY (player_id, key)", ""),
  key("a sign-in nonce is issued once", service, "nonce text PRIMARY KEY CHECK", "nonce text CHECK"),
  key(
    "an authorisation is in one transaction",
    paidTogether,
    "bigint NOT NULL UNIQUE REFERENCES chain_tx",
    "bigint NOT NULL REFERENCES chain_tx",
  ),
  key("bytes are signed for one nonce", chain, "hash hash32 PRIMARY KEY", "hash hash32"),
  key(
    "an operator approves once",
    service,
    ",\n  PRIMARY KEY (action, subject, payload_hash, operator_id)",
    "",
  ),
  key(
    "a breach stands once",
    service,
    "CREATE UNIQUE INDEX breach_standing_key",
    "CREATE INDEX breach_standing_key",
  ),
  key(
    "a recovery stands alone",
    recovery,
    "CREATE UNIQUE INDEX recovery_standing_key",
    "CREATE INDEX recovery_standing_key",
  ),
  key(
    "a player's wallet is nobody else's",
    ledger,
    "CREATE TABLE player_wallet (\n  address evm_address PRIMARY KEY",
    "CREATE TABLE player_wallet (\n  address evm_address",
  ),
  key(
    "a player has one first wallet",
    ledger,
    "CREATE UNIQUE INDEX player_wallet_primary_key",
    "CREATE INDEX player_wallet_primary_key",
  ),
  key(
    "a name is one player's",
    ledger,
    "CREATE UNIQUE INDEX player_handle_key",
    "CREATE INDEX player_handle_key",
  ),
];

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

const locks: Guard[] = [
  lock(
    "both accounts of a transfer",
    fasterTransfers,
    " ORDER BY id FOR UPDATE LOOP",
    " ORDER BY id LOOP",
    "test/db/ledger.test.ts",
  ),
  row(
    "accounts before they are read",
    ledger,
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
    "the lease, while work is done under it",
    "engine/db/lease.ts",
    "AND fence = $2 FOR SHARE",
    "AND fence = $2",
  ),
];

const finality: Guard[] = [
  {
    name: "finality: only final money is withdrawn",
    file: "engine/services/withdrawals.ts",
    guard: "if (amount <= withdrawable) return",
    instead: "if (amount <= free) return",
    tests: ["test/services/withdrawals.test.ts"],
  },
  {
    name: "finality: an instruction waits for the blocks behind it",
    file: due,
    guard:
      '"not_before <= $1 AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0)"',
    instead: '"not_before <= $1"',
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: a leg that came late keeps an instruction from its nonce",
    file: allocating,
    guard:
      "AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING instruction.id",
    instead: "RETURNING instruction.id",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: a leg that came late keeps an instruction from its batch",
    file: allocating,
    guard: "AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING id)",
    instead: "RETURNING id)",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: paid is what is beyond reorg",
    file: confirming,
    guard: "WHERE state = 'mined' AND block_number <= $1 RETURNING",
    instead: "WHERE state = 'mined' AND block_number <= $1 + 1000 RETURNING",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: a failure counts when it is beyond reorg",
    file: "engine/services/confirming.ts",
    guard: "if (blockNumber > finalized) return [];",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a receipt counts when its block is in the books",
    file: "engine/services/confirming.ts",
    guard: "if (blockNumber > finalized && !(await isInBooks(tx, receipt))) return [];",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a receipt is of a final block when that was final before it was read",
    file: "engine/services/confirming.ts",
    guard: "if (await confirm(context, { attempt, receipt, finalized })) found += 1;",
    instead:
      "if (await confirm(context, { attempt, receipt, finalized: (await readCursor(context.pool))?.finalized_number ?? finalized })) found += 1;",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a block is in the books by its hash",
    file: "engine/db/cursor.ts",
    guard: "FROM block WHERE number = $1 AND hash = $2",
    instead: "FROM block WHERE number = $1 AND $2::text IS NOT NULL",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a reorg below it stops outflows",
    file: "engine/services/chain-events.ts",
    guard: "if (ancestor.number < cursor.finalized_number)",
    instead: "if (ancestor.number < 0n)",
    tests: ["test/services/reorgs.test.ts"],
  },
  {
    name: "finality: a line that isn't called final isn't taken as final",
    file: "engine/chain/follow.ts",
    guard: "if (!isCalledFinal(blocks, { views, quorum }))",
    instead: "if (blocks.length === 0)",
    tests: ["test/chain/liars.test.ts"],
  },
  {
    name: "trust: a socket of a stranger says nothing of what a block holds",
    file: "engine/chain/client.ts",
    guard: "isProvider: hosts.includes(hostOf(url))",
    instead: "isProvider: hosts.length > 0",
    tests: ["test/chain/sockets.test.ts"],
  },
  {
    name: "ledger: rows are written when all their accounts are open",
    file: "engine/db/ledger.ts",
    guard: "WHERE (SELECT count(*) FROM locked) = cardinality($1::text[])",
    instead: "WHERE true",
    tests: ["test/db/ledger.test.ts"],
  },
  {
    name: "ledger: what would overdraw isn't written",
    file: "engine/db/ledger.ts",
    guard:
      "\n      AND NOT EXISTS (SELECT FROM played WHERE balance < 0 AND kind NOT IN ('outside', 'house.loss'))",
    instead: "",
    tests: ["test/db/ledger.test.ts", "test/services/withdrawals.test.ts"],
  },
  {
    name: "finality: a line is final by who names its end",
    file: "engine/chain/finality.ts",
    guard: "if (finalized === null || finalized.number < last) return false;",
    instead: "if (finalized === null) return false;",
    tests: ["test/chain/finality.test.ts"],
  },
  {
    name: "finality: a line is final by who names its own hash",
    file: "engine/chain/finality.ts",
    guard: "return line.every(({ number, hash }) => number !== finalized.number || hash === finalized.hash);",
    instead: "return true;",
    tests: ["test/chain/finality.test.ts"],
  },
  {
    name: "finality: a line is final by as many as must agree",
    file: "engine/chain/finality.ts",
    guard: "return vouching.length >= quorum;",
    instead: "return vouching.length >= 1;",
    tests: ["test/chain/finality.test.ts"],
  },
  {
    name: "finality: a provider vouches for blocks that we know",
    file: "engine/chain/finality.ts",
    guard: "block !== null && known.has(block)",
    instead: "block !== null",
    tests: ["test/chain/finality.test.ts"],
  },
];

const fence = (name: string, file: string, guard: string, ...tests: string[]): Guard => ({
  name: `fence: ${name}`,
  file,
  guard,
  instead: guard.slice(guard.indexOf("\n") + 1),
  tests,
});
const held = 'await holdFence(tx, { name: "chain", fence: leadership.fence });\n';

const fences: Guard[] = [
  {
    name: "fence: work under an older lease is refused",
    file: "engine/db/lease.ts",
    guard: "if (rowCount !== 1) throw",
    instead: "if (rowCount === -1) throw",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "fence: each holder has a number of its own",
    file: "engine/db/lease.ts",
    guard: "THEN 0 ELSE 1 END",
    instead: "THEN 0 ELSE 0 END",
    tests: ["test/db/sending.test.ts"],
  },
  fence(
    "who spends a nonce holds it",
    "engine/services/preparing.ts",
    `${held}    return allocateNonces(`,
    "test/services/distrust.test.ts",
  ),
  fence(
    "who spends a nonce for several holds it",
    "engine/services/batching.ts",
    `${held}        return allocateBatch(`,
    "test/services/distrust.test.ts",
  ),
  fence(
    "who keeps a signature holds it",
    "engine/services/sending.ts",
    `${held}      await storeAttempts(`,
    "test/services/distrust.test.ts",
  ),
  fence(
    "who notes what a node said holds it",
    "engine/services/sending.ts",
    `${held}    const answers = `,
    "test/services/distrust.test.ts",
  ),
];

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
const foreseen: Guard[] = [
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

const others: Guard[] = [
  {
    name: "check: no balance below zero",
    file: ledger,
    guard: "CHECK (balance >= 0 OR kind = 'outside')",
    instead: "CHECK (true)",
    tests: ["test/db/ledger.test.ts"],
  },
  {
    name: "order: an event counts only where the books stand",
    file: "engine/services/chain-events.ts",
    guard: "if (cursor?.head_hash !== after)",
    instead: "if (cursor === null)",
    tests: ["test/services/reorgs.test.ts"],
  },
  {
    name: "ledger: what is booked with the commit is refused by the database",
    file: "engine/db/ledger.ts",
    guard: " SELECT refuse_unwritten($11[1]) WHERE NOT EXISTS (SELECT FROM written)",
    instead: " SELECT FROM written",
    tests: ["test/db/ledger.test.ts"],
  },
  {
    name: "reorgs: a transaction is asked about by each hash that it was ever sent under",
    file: "engine/db/confirming.ts",
    guard: "attempt.created_at < $1 AND attempt.last_answer IS NOT NULL",
    instead: "attempt.created_at < $1 AND attempt.sent_at IS NOT NULL",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "reorgs: a deposit that comes back smaller repays as far as it goes",
    file: "engine/services/crediting.ts",
    guard: "const amount = lost < left ? lost : left;",
    instead: "const amount = lost;",
    tests: ["test/services/reorgs.test.ts"],
  },
  ...foreseen,
  {
    name: "trust: a hint counts for the transfer that it names",
    file: "engine/services/lookout.ts",
    guard: "if (read === undefined) return null;",
    instead: "if (read === undefined) continue;",
    tests: ["test/services/lookout.test.ts"],
  },
  {
    name: "breach: nothing leaves while one stands",
    file: "engine/services/sending.ts",
    guard: "if (!(await mayMoneyLeave(context.pool))) return false;",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "breach: no deployment is queued while one stands",
    file: "engine/services/executor.ts",
    guard: " && (await mayMoneyLeave(context.pool))",
    instead: "",
    tests: ["test/services/batching.test.ts"],
  },
  {
    name: "breach: a batch of which something has moved isn't paid again",
    file: "engine/services/confirming.ts",
    guard: "if (succeeded && receipt.transfers.some(isOurs)) {",
    instead: "if (false as boolean) {",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "breach: what was lifted isn't raised again by the same batch",
    file: "engine/db/breaches.ts",
    guard: "WHERE NOT EXISTS (SELECT FROM breach WHERE invariant = $1::text AND detail = $2::text)",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "books: the vault is compared with the chain each time",
    file: "engine/db/books-wallets.ts",
    guard: "ORDER BY purpose IN ('vault', 'gas'), wallet_id, token",
    instead: "ORDER BY wallet_id, token",
    tests: ["test/services/books.test.ts"],
  },
  {
    name: "books: the oldest wallets are compared with the chain in their turn",
    file: "engine/db/books-wallets.ts",
    guard: " OR place / $2 = $3 % greatest((total - 1) / $2, 1)",
    instead: " OR $3 < 0",
    tests: ["test/services/books.test.ts"],
  },
  {
    name: "books: a part of the wallets is never said to be all that they hold",
    file: "engine/services/books-report.ts",
    guard: "onChain: expected?.areAll === true ? totals : null",
    instead: "onChain: totals",
    tests: ["test/services/books.test.ts"],
  },
  {
    name: "nonces: those of strangers are noticed",
    file: "engine/services/foreign-nonces.ts",
    guard: "if (told !== null && told.atMost <= nextNonce) return true;",
    instead: "if (spent >= 0n) return true;",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "nonces: those of strangers are looked for before ours are spent",
    file: "engine/services/preparing.ts",
    guard: "if (!(await areNoncesOurs(context, { ...wallet, nextNonce }))) return 0;",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "nonces: those of strangers are looked for before a batch",
    file: "engine/services/batching.ts",
    guard: "if (!(await areNoncesOurs(context, { id, address, nextNonce }))) return 0;",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "queue: what one wallet can't pay hides no other",
    file: due,
    guard: "ORDER BY place LIMIT $4",
    instead: "LIMIT $4",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "queue: of more wallets than are looked at each has its turn",
    file: "engine/services/due.ts",
    guard: "else ends.set(pool, { walletId: last.wallet_id, token: last.token });",
    instead: "",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "queue: a frozen wallet pays nothing",
    file: due,
    guard: "THEN (SELECT frozen_reason FROM wallet WHERE wallet.id = source_wallet_id) IS NULL",
    instead: "THEN true",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "giving back: not while a transaction may be mined",
    file: "engine/services/giving-back.ts",
    guard: "if (row.may_be_mined)",
    instead: "if (false as boolean)",
    tests: ["test/services/giving-back.test.ts"],
  },
  {
    name: "giving back: not while a recovery stands",
    file: "engine/services/giving-back.ts",
    guard: "if (row.in_recovery)",
    instead: "if (false as boolean)",
    tests: ["test/services/giving-back.test.ts"],
  },
  {
    name: "giving back: not from a frozen wallet",
    file: "engine/services/giving-back.ts",
    guard: "if (row.source_frozen)",
    instead: "if (false as boolean)",
    tests: ["test/services/giving-back.test.ts"],
  },
  {
    name: "giving back: only what is parked",
    file: "engine/services/giving-back.ts",
    guard: 'if (row.state !== "parked")',
    instead: "if (false as boolean)",
    tests: ["test/services/giving-back.test.ts"],
  },
  {
    name: "giving back: two operators above the limit",
    file: "engine/services/giving-back.ts",
    guard: "if (!approved.ok) return approved;",
    instead: "",
    tests: ["test/services/giving-back.test.ts"],
  },
  {
    name: "giving back: two at the same moment wait for each other",
    file: "engine/db/giving-back.ts",
    guard: 'await tx.query("SELECT 1 FROM instruction WHERE id = $1 FOR UPDATE", [instructionId]);',
    instead: "",
    tests: ["test/services/giving-back.test.ts"],
  },
  {
    name: "withdrawals: more than the signer lets out is refused",
    file: "engine/services/withdrawals.ts",
    guard: "if (!fitting.ok) return fitting;",
    instead: "",
    tests: ["test/services/withdrawals.test.ts"],
  },
  {
    name: "thawing: not while the chain knows nonces that aren't ours",
    file: "engine/services/thawing.ts",
    guard: "if (nonces.length > 0) return suspect(nonces);",
    instead: "",
    tests: ["test/services/thawing.test.ts"],
  },
  {
    name: "thawing: not while the books hold something against it",
    file: "engine/services/thawing.ts",
    guard: "if (suspicions.length > 0) return suspect(suspicions);",
    instead: "",
    tests: ["test/services/thawing.test.ts"],
  },
  {
    name: "freezing: not by the word of one provider",
    file: "engine/services/foreign-nonces.ts",
    guard: "if (told !== null && told.atLeast > nextNonce) {",
    instead: "if (told !== null && told.atMost > nextNonce) {",
    tests: ["test/services/thawing.test.ts"],
  },
  {
    name: "a stray that is explained thaws only what was frozen for it",
    file: "engine/db/adopting.ts",
    guard: "WHERE id = $1 AND strpos(frozen_reason, $2) > 0",
    instead: "WHERE id = $1 AND $2 <> ''",
    tests: ["test/services/thawing.test.ts"],
  },
  {
    name: "who signs in with a wallet has what it sent before",
    file: "engine/services/sign-in.ts",
    guard: "if (known === null) await claimSuspenseOf(context, tx, { playerId: player.playerId, address });",
    instead: "",
    tests: ["test/services/suspense.test.ts"],
  },
  {
    name: "who links a wallet has what it sent before",
    file: "engine/services/sign-in.ts",
    guard: "await claimSuspenseOf(context, tx, { playerId: input.playerId, address });",
    instead: "",
    tests: ["test/services/suspense.test.ts"],
  },
  {
    name: "what is sent to a game's escrow is no deposit",
    file: "engine/core/attribution.ts",
    guard: 'return { to: "suspense", cause: "escrow" };',
    instead:
      'return facts.senderOwnerPlayerId === null ? { to: "suspense", cause: "escrow" } : { to: "player", playerId: facts.senderOwnerPlayerId, via: "vault" };',
    tests: ["test/services/suspense.test.ts"],
  },
  {
    name: "an address is derived from a committed row only",
    file: "engine/services/wallets.ts",
    guard:
      "const wallet = await transaction(context.pool, (tx) => reserveWallet(tx, purpose));\n  await address(context, wallet);",
    instead:
      "await transaction(context.pool, async (tx) => address({ ...context, pool: tx as never }, await reserveWallet(tx, purpose)));",
    tests: ["test/services/escrows.test.ts"],
  },
  {
    name: "an address that a dead process didn't come to is derived at the next start",
    file: "engine/services/wallets.ts",
    guard: "await addressWallets(context);",
    instead: "",
    tests: ["test/services/escrows.test.ts"],
  },
  {
    name: "an engine knows at its start the blocks that may have fallen out meanwhile",
    file: "engine/workers/watcher.ts",
    guard: "(await readRecentBlocks(context.pool)).map(referred)",
    instead: "[] as ReturnType<typeof referred>[]",
    tests: ["test/engine/reorg-while-down.test.ts"],
  },
  {
    name: "recovery: an engine looks at its start whether its books are old",
    file: "engine/main.ts",
    guard: 'if (role !== "api") await recoverIfOld(context);',
    instead: "",
    tests: ["test/engine/restored.test.ts"],
  },
  {
    name: "recovery: a token that answers nothing keeps nobody from looking",
    file: "engine/services/recovery.ts",
    guard: "if (silent.size > 0 && silent.size === tokens.length)",
    instead: "if (silent.size > 0)",
    tests: ["test/services/recovery.test.ts"],
  },
  {
    name: "recovery: only the one that was looked at is ended",
    file: "engine/db/recovery.ts",
    guard: "WHERE ended_at IS NULL AND id = $4",
    instead: "WHERE ended_at IS NULL AND $4::text <> ''",
    tests: ["test/services/recovery.test.ts"],
  },
  {
    name: "recovery: a stray is explained in the block that it was found in",
    file: "engine/db/adopting.ts",
    guard: "AND canonical AND kind = 'stray' AND block_number = $2",
    instead: "AND $2::text <> ''",
    tests: ["test/services/thawing.test.ts"],
  },
  {
    name: "recovery: a stray is explained while no block is being written",
    file: "engine/services/recovery.ts",
    guard: "await lockCursor(tx);",
    instead: "",
    tests: ["test/services/recovery.test.ts"],
  },
  {
    name: "what the providers deny is taken back also to a final block without a row",
    file: "engine/services/agreeing.ts",
    guard: "[below && referred(below), final]",
    instead: "[below && referred(below)]",
    tests: ["test/services/two-providers.test.ts"],
  },
  {
    name: "final is a block that the books hold, not a number",
    file: "engine/services/agreeing.ts",
    guard: "if (!(await isInBooks(tx, { blockNumber: wanted.number, blockHash: wanted.hash })))",
    instead: "if (false as boolean)",
    tests: ["test/services/two-providers.test.ts"],
  },
  {
    name: "nothing that the books hold is denied without receipts",
    file: "engine/services/agreeing.ts",
    guard: "denied: [], open:",
    instead: "denied: weighed.denied, open:",
    tests: ["test/services/two-providers.test.ts"],
  },
  {
    name: "what was taken back meanwhile isn't taken back again",
    file: "engine/services/agreeing.ts",
    guard: " || !held.some((log) => identityOf(claimOf(log)) === identityOf(claim))",
    instead: "",
    tests: ["test/services/two-providers.test.ts"],
  },
  {
    name: "a branch that the final blocks contradict is left",
    file: "engine/chain/follow.ts",
    guard: "if (instead === null || (await countWitnesses(this.#chain, instead)) < quorum) return;",
    instead: "if (instead === null || instead !== null) return;",
    tests: ["test/chain/liars.test.ts"],
  },
  {
    name: "one stale provider silences no alarm for a deep reorg",
    file: "engine/chain/turning-back.ts",
    guard: " && others < chain.quorum",
    instead: "",
    tests: ["test/chain/liars.test.ts"],
  },
  {
    name: "an index that fits no column isn't one",
    file: "engine/chain/raw-log.ts",
    guard: "if (index > mostIndex) throw",
    instead: "if (index < 0) throw",
    tests: ["test/chain/liars.test.ts"],
  },
  {
    name: "a number or moment that fits no column isn't one",
    file: "engine/chain/shapes.ts",
    guard: ".refine((value) => value <= 2n ** 40n)",
    instead: "",
    tests: ["test/chain/liars.test.ts"],
  },
  {
    name: "a loss is owed until all of it is repaid",
    file: "engine/db/deposits.ts",
    guard: "WHERE loss.amount > repaid.amount",
    instead: "WHERE repaid.amount = 0",
    tests: ["test/db/ledger.test.ts"],
  },
  {
    name: "a final block to go back to isn't one provider's word",
    file: "engine/services/agreeing.ts",
    guard: "(await countWitnesses(chain, block)) < chain.quorum",
    instead: "(await countWitnesses(chain, block)) < 0",
    tests: ["test/services/two-providers.test.ts"],
  },
  {
    name: "what wallets hold of a new token isn't nothing where a node fails",
    file: "engine/services/token-watch.ts",
    guard: "if (error instanceof RpcRefusedError) return",
    instead: "if (error !== null) return",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token that answers nothing isn't one",
    file: "engine/chain/tokens.ts",
    guard: " || error instanceof BaseError",
    instead: "",
    tests: ["test/chain/fees.test.ts"],
  },
  {
    name: "a token that we hold already isn't listed",
    file: "engine/services/token-watch.ts",
    guard: "if (holder !== null)",
    instead: "if (false as boolean)",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "queue: of one turn each token has its share",
    file: "engine/db/deposits.ts",
    guard: "ORDER BY turn, place, id LIMIT $1",
    instead: "ORDER BY turn, id LIMIT $1",
    tests: ["test/db/locks.test.ts"],
  },
  {
    name: "one reading is shared however long it takes",
    file: "engine/services/kept.ts",
    guard: "known.readAtMs === null || ",
    instead: "",
    tests: ["test/services/kept.test.ts"],
  },
  {
    name: "signer: the nonce that another process signed with last counts",
    file: "wallets/keyring-signer.ts",
    guard: "(!this.#history.isCounted(payload) && payload.signedAt >= own.signedAt)",
    instead: "(false as boolean)",
    tests: ["test/wallets/signer.test.ts"],
  },
  {
    name: "idempotency: a key that stands has no second effect",
    file: "engine/services/transaction.ts",
    guard: 'if (!claimed.value) return "done before";',
    instead: "",
    tests: ["test/services/withdrawals.test.ts"],
  },
  {
    name: "idempotency: another request under a key is refused",
    file: "engine/services/transaction.ts",
    guard: "!stored.requestHash.equals(requestHash)",
    instead: "(false as boolean)",
    tests: ["test/http/idempotency.test.ts"],
  },
  {
    name: "sending: bytes are kept before anybody sees them",
    file: confirming,
    guard: "again AS (UPDATE attempt SET sent_at = NULL FROM reopened WHERE chain_tx_id = reopened.id)",
    instead: "again AS (DELETE FROM attempt USING reopened WHERE chain_tx_id = reopened.id)",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "a token is tried before it is listed",
    file: "engine/foundation.ts",
    guard: "if (unfit.length > 0) throw",
    instead: "if (false as boolean) throw",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token out of play is followed and shown",
    file: "engine/db/tokens.ts",
    guard: '"SELECT address, symbol, decimals, listed FROM token ORDER BY listed DESC, position, address"',
    instead: '"SELECT address, symbol, decimals, listed FROM token WHERE listed ORDER BY position"',
    tests: ["test/engine/tokens.test.ts"],
  },
  {
    name: "a batch has gas for recipients who hold nothing any more",
    file: "engine/services/batching.ts",
    guard: "const laterGas = authorisationGas + emptiedRecipientGas * BigInt(payments.length);",
    instead: "const laterGas = authorisationGas;",
    tests: ["test/services/batching.test.ts"],
  },
  {
    name: "what is owed of a token out of play is signed for",
    file: "engine/signer-main.ts",
    guard: "tokens: [...tokens, ...unchanged].map(",
    instead: "tokens: tokens.map(",
    tests: ["test/engine/tokens.test.ts"],
  },
  {
    name: "no new offers in a token out of play",
    file: "engine/services/tokens.ts",
    guard: "if (token.listed) return",
    instead: "if (token !== undefined) return",
    tests: ["test/engine/tokens.test.ts"],
  },
  {
    name: "only the process that leads lists tokens",
    file: "engine/services/token-watch.ts",
    guard: 'await holdFence(tx, { name: "chain", fence });',
    instead: "",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token's replaced code stops what leaves",
    file: "engine/services/token-watch.ts",
    guard: 'await insertBreach(tx, { invariant: "token code", detail });',
    instead: "",
    tests: ["test/services/token-watch.test.ts"],
  },
];

const policy = (code: string, guard: string, instead: string): Guard => ({
  name: `signer: ${code}`,
  file: "wallets/policy.ts",
  guard,
  instead,
  tests: ["test/wallets/policy.test.ts", "test/wallets/policy.property.test.ts"],
});
const signer = (name: string, file: string, guard: string, instead: string, ...tests: string[]): Guard => ({
  name: `signer: ${name}`,
  file,
  guard,
  instead,
  tests,
});

const policyChecks: Guard[] = [
  policy("paused", "if (context.pauseReason !== null) return", "if (false as boolean) return"),
  policy("wrong_chain", "if (context.chainId !== baseChainId)", "if (false as boolean)"),
  policy(
    "instruction_mismatch",
    "if (instruction.id !== request.instructionId) {",
    "if (false as boolean) {",
  ),
  policy(
    "instruction_not_signable",
    'if (instruction.state !== "queued" && instruction.state !== "sending") {',
    "if (false as boolean) {",
  ),
  policy("instruction_changed", "if (!isSame)", "if (false as boolean)"),
  policy(
    "nonce_changed",
    "if (!hasFailed || (isSameSender && request.nonce < signedBefore.nonce)) {",
    "if (false as boolean) {",
  ),
  policy(
    "source_mismatch",
    "if (context.sourceAddress !== instruction.sourceAddress) {",
    "if (false as boolean) {",
  ),
  policy(
    "purpose_not_allowed",
    "if (!routes[instruction.kind].from.includes(request.wallet.purpose)) {",
    "if (false as boolean) {",
  ),
  policy("token_not_allowed", "if (!isAllowed) return", "if (false as boolean) return"),
  policy("amount_not_positive", "if (instruction.amount <= 0n) return", "if (false as boolean) return"),
  policy("destination_zero", "if (destination === zeroAddress) return", "if (false as boolean) return"),
  policy("destination_is_token", "if (context.limits.has(destination)) {", "if (false as boolean) {"),
  policy("destination_unproven", 'if (owner.kind === "unproven") {', "if (false as boolean) {"),
  policy(
    "destination_not_allowed",
    'return isAllowed ? null : reject("destination_not_allowed"',
    'return true ? null : reject("destination_not_allowed"',
  ),
  policy(
    "over_fee_cap",
    "if (request.maxFeePerGas * request.gasLimit > capWei) {",
    "if (false as boolean) {",
  ),
  policy(
    "over_transaction_limit",
    "if (instruction.amount > limits.perTransaction) {",
    "if (false as boolean) {",
  ),
  policy("amount_not_zero", "return instruction.amount === 0n", "return (true as boolean)"),
  policy(
    "destination_is_source",
    "if (destination === instruction.sourceAddress) {",
    "if (false as boolean) {",
  ),
  policy(
    "fee_malformed",
    "if (request.maxPriorityFeePerGas > request.maxFeePerGas) {",
    "if (false as boolean) {",
  ),
  policy("over_topup_limit", "return instruction.amount > context.maxTopupWei", "return (false as boolean)"),
  policy("history_full", "return isHistoryFull", "return (false as boolean)"),
  policy(
    "over_hour_limit",
    "context.leftWithinHour + instruction.amount > limits.perHour) {",
    "context.leftWithinHour < 0n) {",
  ),
];

const hour: Guard[] = [
  signer(
    "another nonce needs and takes new room within the hour",
    "wallets/history.ts",
    "return before?.isOwn === true && isSamePayment(before, payment);",
    "return before?.isOwn === true;",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "what is only said to have been signed gives no room within the hour",
    "wallets/history.ts",
    "return before?.isOwn === true && isSamePayment(before, payment);",
    "return before !== undefined && isSamePayment(before, payment);",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "nothing that is said takes the place of what was signed here",
    "wallets/history.ts",
    "this.#count(Symbol(), payload);",
    "this.#count(keyOf(payload), payload);",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "a higher fee after a restart takes the place of what was signed before it",
    "wallets/history.ts",
    "this.#drop(keyOf(payload));",
    "",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "those of one batch share the room within the hour",
    "wallets/keyring-signer.ts",
    "leftWithinHour: left - recalled + leavesTogether,",
    "leftWithinHour: left - recalled,",
    "test/wallets/batch.test.ts",
  ),
  signer(
    "what was signed before a restart, or by another process, takes room within the hour",
    "wallets/keyring-signer.ts",
    "for (const payload of (await this.#options.readSigned?.()) ?? [])",
    "for (const payload of [] as SignedPayload[])",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "what another process signed while this one rested takes room within the hour",
    "wallets/keyring-signer.ts",
    "if (now - this.#askedAtMs > longestRestMs)",
    "if (this.#askedAtMs < 0)",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "what is signed is counted before its bytes exist",
    "wallets/keyring-signer.ts",
    "for (const payload of payloads) this.#history.record({ payload, leaves: leavesOurWallets(payload.kind) });",
    "",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "a batch is signed again with the same others only",
    "wallets/policy.ts",
    "return isSameList(signedBefore.together, together)",
    "return (true as boolean)",
    "test/wallets/batch.test.ts",
  ),
];

export const guards: readonly Guard[] = [
  ...uniqueKeys,
  ...locks,
  ...finality,
  ...fences,
  ...others,
  ...policyChecks,
  ...hour,
];

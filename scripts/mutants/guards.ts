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
];

const lock = (name: string, file: string, guard: string, instead: string, ...tests: string[]): Guard => ({
  name: `lock: ${name}`,
  file,
  guard,
  instead,
  tests,
});

const locks: Guard[] = [
  lock(
    "both accounts of a transfer",
    fasterTransfers,
    " ORDER BY id FOR UPDATE LOOP",
    " ORDER BY id LOOP",
    "test/db/ledger.test.ts",
  ),
  lock(
    "accounts before they are read",
    ledger,
    "WHERE id = ANY (ids) ORDER BY id FOR UPDATE",
    "WHERE id = ANY (ids) ORDER BY id",
    "test/services/withdrawals.test.ts",
  ),
  lock(
    "an offer that is answered",
    "engine/db/proposals.ts",
    '= $1)" : ""} ORDER BY id FOR UPDATE`',
    '= $1)" : ""} ORDER BY id`',
    "test/services/races.test.ts",
  ),
  lock(
    "an offer that lapses",
    "engine/db/proposals.ts",
    " LIMIT 1 FOR UPDATE SKIP LOCKED",
    " LIMIT 1",
    "test/services/races.test.ts",
    "test/services/deadlines.test.ts",
  ),
  lock(
    "a game that something is done to",
    "engine/db/games.ts",
    "FROM game WHERE id = $1 FOR UPDATE",
    "FROM game WHERE id = $1",
    "test/services/races.test.ts",
  ),
  lock(
    "a game whose clock runs out",
    "engine/db/games.ts",
    " LIMIT 1 FOR UPDATE SKIP LOCKED",
    " LIMIT 1",
    "test/services/races.test.ts",
    "test/services/deadlines.test.ts",
  ),
  lock(
    "a wallet whose nonces are spent",
    "engine/db/sending.ts",
    "FROM wallet WHERE id = $1 FOR UPDATE",
    "FROM wallet WHERE id = $1",
    "test/services/sending.test.ts",
  ),
  lock(
    "the cursor",
    "engine/db/cursor.ts",
    "FROM chain_cursor FOR UPDATE",
    "FROM chain_cursor",
    "test/services/reorgs.test.ts",
  ),
  lock(
    "a spare wallet",
    "engine/db/wallets.ts",
    " LIMIT 1 FOR UPDATE SKIP LOCKED)",
    " LIMIT 1)",
    "test/services/proposals.test.ts",
    "test/services/races.test.ts",
  ),
  lock(
    "a stray deposit that is claimed",
    "engine/db/suspense.ts",
    " LIMIT $2 FOR UPDATE OF deposit",
    " LIMIT $2",
    "test/services/suspense.test.ts",
  ),
  lock(
    "a stray deposit that is sent back",
    "engine/db/suspense.ts",
    "FROM deposit WHERE id = $1 FOR UPDATE",
    "FROM deposit WHERE id = $1",
    "test/services/suspense.test.ts",
  ),
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
    name: "finality: only final money is withdrawn",
    file: "engine/services/withdrawals.ts",
    guard: "if (amount <= withdrawable) return",
    instead: "if (amount <= free) return",
    tests: ["test/services/withdrawals.test.ts"],
  },
  {
    name: "finality: an instruction waits for the blocks behind it",
    file: "engine/db/sending.ts",
    guard: "AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0)",
    instead: "",
    tests: ["test/services/reorgs.test.ts", "test/services/games.test.ts", "test/services/deposits.test.ts"],
  },
  {
    name: "finality: paid is what is beyond reorg",
    file: "engine/db/sending.ts",
    guard: "WHERE state = 'mined' AND block_number <= $1 RETURNING",
    instead: "WHERE state = 'mined' AND block_number <= $1 + 1000 RETURNING",
    tests: ["test/services/sending.test.ts"],
  },
  {
    name: "finality: a failure counts when it is beyond reorg",
    file: "engine/services/confirming.ts",
    guard: "if (blockNumber > cursor.finalized_number) return [];",
    instead: "",
    tests: ["test/services/withdraw-and-pay.test.ts"],
  },
  {
    name: "finality: a reorg below it stops outflows",
    file: "engine/services/chain-events.ts",
    guard: "if (ancestor.number < cursor.finalized_number)",
    instead: "if (ancestor.number < 0n)",
    tests: ["test/services/reorgs.test.ts", "test/services/two-providers.test.ts"],
  },
  {
    name: "order: an event counts only where the books stand",
    file: "engine/services/chain-events.ts",
    guard: "if ((cursor?.head_hash ?? null) !== after)",
    instead: "if (false as boolean)",
    tests: ["test/services/reorgs.test.ts"],
  },
  {
    name: "fence: work under an older lease is refused",
    file: "engine/db/lease.ts",
    guard: "if (rowCount !== 1) throw",
    instead: "if (rowCount === -1) throw",
    tests: ["test/services/sending.test.ts"],
  },
  {
    name: "fence: each holder has a number of its own",
    file: "engine/db/lease.ts",
    guard: "THEN 0 ELSE 1 END",
    instead: "THEN 0 ELSE 0 END",
    tests: ["test/services/sending.test.ts"],
  },
  {
    name: "breach: nothing leaves while one stands",
    file: "engine/services/sending.ts",
    guard: "if (!(await mayMoneyLeave(context.pool))) return false;",
    instead: "",
    tests: ["test/services/withdrawals.test.ts", "test/services/withdraw-and-pay.test.ts"],
  },
  {
    name: "nonces: those of strangers are noticed",
    file: "engine/services/foreign-nonces.ts",
    guard: "if (spent <= nextNonce) return true;",
    instead: "if (spent >= 0n) return true;",
    tests: ["test/services/withdraw-and-pay.test.ts"],
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
    tests: ["test/http/idempotency.test.ts", "test/services/races.test.ts"],
  },
  {
    name: "sending: bytes are kept before anybody sees them",
    file: "engine/db/sending.ts",
    guard: "again AS (UPDATE attempt SET sent_at = NULL FROM reopened WHERE chain_tx_id = reopened.id)",
    instead: "again AS (DELETE FROM attempt USING reopened WHERE chain_tx_id = reopened.id)",
    tests: ["test/services/sending.test.ts"],
  },
  {
    name: "a token is tried before it is listed",
    file: "engine/services/token-watch.ts",
    guard: "if (problems.length > 0) return problems;",
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
  policy(
    "over_hour_limit",
    "context.leftWithinHour + instruction.amount > limits.perHour) {",
    "context.leftWithinHour < 0n) {",
  ),
];

export const guards: readonly Guard[] = [...uniqueKeys, ...locks, ...others, ...policyChecks];

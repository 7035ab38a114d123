import type { Guard } from "./guard.ts";

const ledger = "engine/db/migrations/0001_ledger.sql";
const chain = "engine/db/migrations/0002_chain.sql";
const wager = "engine/db/migrations/0003_wager.sql";
const paidTogether = "engine/db/migrations/0012_paid_together.sql";
const service = "engine/db/migrations/0004_service.sql";
const recovery = "engine/db/migrations/0011_recovery.sql";
const providers = "engine/db/migrations/0010_providers.sql";

const key = (name: string, file: string, guard: string, instead: string): Guard => ({
  name: `key: ${name}`,
  file,
  guard,
  instead,
  tests: ["test/db/keys.test.ts"],
});

/** Keys of the database: what there is once. */
export const uniqueKeys: readonly Guard[] = [
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
  key(
    "an account pays out one transfer at a time",
    ledger,
    "CREATE UNIQUE INDEX transfer_debit_key",
    "CREATE INDEX transfer_debit_key",
  ),
  key(
    "an account receives one transfer at a time",
    ledger,
    "CREATE UNIQUE INDEX transfer_credit_key",
    "CREATE INDEX transfer_credit_key",
  ),
  key("a height has one block", chain, "number bigint PRIMARY KEY", "number bigint"),
  key(
    "there is one cursor",
    chain,
    "one boolean PRIMARY KEY DEFAULT true CHECK (one)",
    "one boolean DEFAULT true CHECK (one)",
  ),
  key("a lease has one holder", chain, "name text PRIMARY KEY", "name text"),
  key(
    "a withdrawal's number is given once",
    chain,
    "id uuid PRIMARY KEY DEFAULT gen_random_uuid()",
    "id uuid DEFAULT gen_random_uuid()",
  ),
  key("a session is one browser's", service, "id_hash bytea PRIMARY KEY", "id_hash bytea"),
  key("what a room is told is numbered once", service, "room text PRIMARY KEY", "room text"),
  key("a link shows one player's room", service, "token_hash bytea PRIMARY KEY", "token_hash bytea"),
  key(
    "a player has one standing link",
    service,
    "CREATE UNIQUE INDEX overlay_link_standing_key",
    "CREATE INDEX overlay_link_standing_key",
  ),
  key("a switch is on or off", service, "name text PRIMARY KEY CHECK", "name text CHECK"),
  key(
    "the last check of the books is one",
    service,
    "one boolean PRIMARY KEY DEFAULT true CHECK (one)",
    "one boolean DEFAULT true CHECK (one)",
  ),
  key("a node is shown once", providers, "position smallint PRIMARY KEY", "position smallint"),
];

-- Up Migration

-- The recent blocks that we hold to be canonical, kept until well below finality.
CREATE TABLE block (
  number bigint PRIMARY KEY,
  hash hash32 NOT NULL,
  parent_hash hash32 NOT NULL,
  stamped_at timestamptz NOT NULL
);

-- The last block handled. One row.
CREATE TABLE chain_cursor (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  chain_id integer NOT NULL,
  head_number bigint NOT NULL,
  head_hash hash32 NOT NULL,
  head_stamped_at timestamptz NOT NULL,
  safe_number bigint NOT NULL,
  finalized_number bigint NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now(),
  CHECK (finalized_number <= safe_number AND safe_number <= head_number)
);

-- Which process does the chain work. Each new holder gets a higher fence; work carries it.
CREATE TABLE lease (
  name text PRIMARY KEY,
  holder text NOT NULL,
  fence bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Every Transfer log of a listed token that touches a wallet of ours. Identity is (transaction, token, ordinal among
-- that token's Transfer logs in the transaction): it stays the same when the transaction lands in another block.
CREATE TABLE chain_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tx_hash hash32 NOT NULL,
  token evm_address NOT NULL REFERENCES token,
  ordinal integer NOT NULL CHECK (ordinal >= 0),
  sender text NOT NULL CHECK (sender ~ '^0x[0-9a-f]{40}$'),
  recipient text NOT NULL CHECK (recipient ~ '^0x[0-9a-f]{40}$'),
  amount base_units NOT NULL CHECK (amount > 0),
  block_number bigint NOT NULL,
  block_hash hash32 NOT NULL,
  log_index integer NOT NULL,
  stamped_at timestamptz NOT NULL,
  -- deposit: money from outside; move: between two wallets of ours; outgoing: to the outside, explained by an attempt;
  -- stray: to the outside by a hand that isn't ours.
  kind text NOT NULL CHECK (kind IN ('deposit', 'move', 'outgoing', 'stray')),
  sender_wallet_id bigint REFERENCES wallet,
  recipient_wallet_id bigint REFERENCES wallet,
  canonical boolean NOT NULL DEFAULT true,
  -- How often it has been included in the chain; each inclusion is credited and taken back under its own key.
  inclusion integer NOT NULL DEFAULT 1,
  UNIQUE (tx_hash, token, ordinal)
);
CREATE INDEX chain_log_block_idx ON chain_log (block_number);
CREATE INDEX chain_log_recipient_idx ON chain_log (recipient_wallet_id, block_number);
CREATE INDEX chain_log_sender_idx ON chain_log (sender_wallet_id, block_number);

-- What a deposit log means to us.
CREATE TABLE deposit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_log_id bigint NOT NULL UNIQUE REFERENCES chain_log,
  token evm_address NOT NULL REFERENCES token,
  amount base_units NOT NULL CHECK (amount > 0),
  wallet_id bigint NOT NULL REFERENCES wallet,
  -- Null while nobody can be credited: then it is in suspense.
  player_id bigint REFERENCES player,
  suspense_cause text,
  suspense_state text CHECK (suspense_state IN ('open', 'claimed', 'refunded')),
  claimed_by bigint REFERENCES player,
  state text NOT NULL CHECK (state IN ('seen', 'playable', 'final', 'orphaned')),
  -- Set while the ledger holds it.
  credited boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((suspense_cause IS NULL) = (suspense_state IS NULL)),
  CHECK (player_id IS NOT NULL OR suspense_state IS NOT NULL)
);
CREATE INDEX deposit_player_idx ON deposit (player_id, id DESC);
CREATE INDEX deposit_open_idx ON deposit (state) WHERE state IN ('seen', 'playable');
CREATE INDEX deposit_suspense_idx ON deposit (id) WHERE suspense_state = 'open';

-- Money in a pool that is worth only as much as a block that isn't final: a player's own deposits, and what was won
-- from somebody else's. It counts until the chain has finalized `until_block`.
CREATE TABLE exposure (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  player_id bigint NOT NULL REFERENCES player,
  token evm_address NOT NULL REFERENCES token,
  amount base_units NOT NULL CHECK (amount > 0),
  until_block bigint NOT NULL,
  business_key text NOT NULL UNIQUE
);
CREATE INDEX exposure_player_idx ON exposure (player_id, token, until_block);
CREATE INDEX exposure_until_idx ON exposure (until_block);

-- A chain transfer that we owe.
CREATE TABLE instruction (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('collect', 'fund', 'settle', 'payout', 'withdrawal', 'sweep', 'refund', 'topup')),
  source_wallet_id bigint NOT NULL REFERENCES wallet,
  token evm_address REFERENCES token,
  destination evm_address NOT NULL,
  amount base_units NOT NULL,
  -- Same source, token, destination and cause are merged while nothing is signed.
  cause text NOT NULL,
  game_id uuid,
  player_id bigint REFERENCES player,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('gathering', 'queued', 'sending', 'mined', 'final', 'parked', 'cancelled')),
  not_before timestamptz NOT NULL DEFAULT now(),
  -- A collection waits until the deposits in it are final.
  not_before_block bigint NOT NULL DEFAULT 0,
  note text,
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((token IS NULL) = (kind = 'topup')),
  CHECK (amount > 0 OR state = 'cancelled')
);
CREATE UNIQUE INDEX instruction_merge_key ON instruction (source_wallet_id, token, destination, cause) WHERE state IN ('gathering', 'queued');
CREATE INDEX instruction_open_idx ON instruction (source_wallet_id, id) WHERE state IN ('gathering', 'queued', 'sending', 'mined');
CREATE INDEX instruction_state_idx ON instruction (state, id) WHERE state IN ('gathering', 'queued', 'sending', 'mined', 'parked');
CREATE INDEX instruction_game_idx ON instruction (game_id) WHERE game_id IS NOT NULL;
CREATE INDEX instruction_player_idx ON instruction (player_id) WHERE player_id IS NOT NULL;

-- Which ledger transfers an instruction carries out; a transfer that takes one back carries a minus sign.
CREATE TABLE instruction_leg (
  transfer_id bigint PRIMARY KEY REFERENCES transfer,
  instruction_id bigint NOT NULL REFERENCES instruction,
  sign smallint NOT NULL DEFAULT 1 CHECK (sign IN (-1, 1))
);
CREATE INDEX instruction_leg_instruction_idx ON instruction_leg (instruction_id);

-- One nonce of one wallet, spent for one instruction. A wallet's nonces are unique and have no gap.
CREATE TABLE chain_tx (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  wallet_id bigint NOT NULL REFERENCES wallet,
  nonce bigint NOT NULL CHECK (nonce >= 0),
  instruction_id bigint NOT NULL REFERENCES instruction,
  -- open: allocated; mined: one attempt is in a block; final: beyond reorg; reverted: final, and the transfer failed.
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'mined', 'final', 'reverted')),
  gas_limit bigint NOT NULL CHECK (gas_limit > 0),
  block_number bigint,
  mined_hash hash32,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (wallet_id, nonce)
);
-- A second transaction for an instruction exists only after the first one failed for good.
CREATE UNIQUE INDEX chain_tx_instruction_key ON chain_tx (instruction_id) WHERE state <> 'reverted';
CREATE INDEX chain_tx_open_idx ON chain_tx (state, id) WHERE state IN ('open', 'mined');

-- One signed transaction. Its bytes are here before anybody else sees them; same nonce and payload, higher fee = next.
CREATE TABLE attempt (
  hash hash32 PRIMARY KEY,
  chain_tx_id bigint NOT NULL REFERENCES chain_tx,
  number smallint NOT NULL CHECK (number BETWEEN 1 AND 50),
  raw text NOT NULL,
  max_fee_per_gas numeric(78, 0) NOT NULL,
  max_priority_fee_per_gas numeric(78, 0) NOT NULL,
  -- What the node last said: null (not sent yet or no clear answer), accepted, known, …; never proof of anything.
  last_answer text,
  sent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (chain_tx_id, number)
);

CREATE TABLE withdrawal (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  player_id bigint NOT NULL REFERENCES player,
  token evm_address NOT NULL REFERENCES token,
  amount base_units NOT NULL CHECK (amount > 0),
  address evm_address NOT NULL,
  instruction_id bigint REFERENCES instruction,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX withdrawal_player_idx ON withdrawal (player_id, created_at DESC);
CREATE UNIQUE INDEX withdrawal_instruction_key ON withdrawal (instruction_id);

-- A nonce may be given back while nothing is signed with it; the attempts' foreign key keeps all others.
GRANT SELECT, INSERT, UPDATE, DELETE ON block, exposure, chain_tx TO on_the_rail_app;
GRANT SELECT, INSERT, UPDATE ON chain_cursor, lease, chain_log, deposit, instruction, withdrawal TO on_the_rail_app;
GRANT SELECT, INSERT ON instruction_leg TO on_the_rail_app;
GRANT SELECT, INSERT, UPDATE (last_answer, sent_at) ON attempt TO on_the_rail_app;

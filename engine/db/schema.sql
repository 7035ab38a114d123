-- Read back from the database: change the migrations, then run npm run schema.

CREATE DOMAIN account_kind AS text CHECK ((VALUE = ANY (ARRAY['player.deposit'::text, 'player.available'::text, 'player.held'::text, 'escrow.stakes'::text, 'house.rake'::text, 'house.dust'::text, 'house.loss'::text, 'suspense'::text, 'outside'::text])));

CREATE DOMAIN base_units AS numeric(78,0) CHECK ((VALUE >= (0)::numeric));

CREATE DOMAIN chain_log_kind AS text CHECK ((VALUE = ANY (ARRAY['deposit'::text, 'move'::text, 'outgoing'::text, 'stray'::text])));

CREATE DOMAIN deposit_state AS text CHECK ((VALUE = ANY (ARRAY['seen'::text, 'playable'::text, 'final'::text, 'orphaned'::text])));

CREATE DOMAIN evm_address AS text CHECK (((length(VALUE) = 42) AND (VALUE ~ '^0x[0-9a-f]*$'::text)));

CREATE DOMAIN hash32 AS text CHECK (((length(VALUE) = 66) AND (VALUE ~ '^0x[0-9a-f]*$'::text)));

CREATE DOMAIN instruction_kind AS text CHECK ((VALUE = ANY (ARRAY['collect'::text, 'fund'::text, 'settle'::text, 'payout'::text, 'withdrawal'::text, 'sweep'::text, 'refund'::text, 'topup'::text, 'deploy'::text])));

CREATE DOMAIN instruction_state AS text CHECK ((VALUE = ANY (ARRAY['gathering'::text, 'queued'::text, 'sending'::text, 'mined'::text, 'final'::text, 'parked'::text, 'cancelled'::text])));

CREATE DOMAIN suspense_state AS text CHECK ((VALUE = ANY (ARRAY['open'::text, 'claimed'::text, 'refunded'::text])));

CREATE DOMAIN transfer_reason AS text CHECK ((VALUE = ANY (ARRAY['deposit'::text, 'collect'::text, 'hold'::text, 'release'::text, 'capture'::text, 'win'::text, 'payout'::text, 'payout_returned'::text, 'stake_returned'::text, 'rake'::text, 'dust'::text, 'withdrawal'::text, 'withdrawal_returned'::text, 'sweep'::text, 'suspense_claimed'::text, 'suspense_refunded'::text, 'refund_returned'::text, 'deposit_orphaned'::text, 'loss_booked'::text, 'loss_repaid'::text, 'settlement_undone'::text])));

CREATE TABLE account (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  kind account_kind NOT NULL,
  token evm_address NOT NULL,
  wallet_id bigint,
  player_id bigint,
  game_id uuid,
  balance numeric(78,0) NOT NULL DEFAULT 0,
  sequence bigint NOT NULL DEFAULT 0,
  head bytea NOT NULL DEFAULT '\x'::bytea,
  CONSTRAINT account_balance_check CHECK (((balance >= (0)::numeric) OR ((kind)::text = 'outside'::text))),
  CONSTRAINT account_check CHECK ((((kind)::text = 'outside'::text) = (wallet_id IS NULL))),
  CONSTRAINT account_check1 CHECK ((((kind)::text ~~ 'player.%'::text) = (player_id IS NOT NULL))),
  CONSTRAINT account_check2 CHECK ((((kind)::text = ANY (ARRAY['escrow.stakes'::text, 'house.rake'::text, 'house.dust'::text])) = (game_id IS NOT NULL))),
  CONSTRAINT account_game_id_fkey FOREIGN KEY (game_id) REFERENCES game(id),
  CONSTRAINT account_kind_token_wallet_id_player_id_game_id_key UNIQUE NULLS NOT DISTINCT (kind, token, wallet_id, player_id, game_id),
  CONSTRAINT account_pkey PRIMARY KEY (id),
  CONSTRAINT account_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT account_token_fkey FOREIGN KEY (token) REFERENCES token(address),
  CONSTRAINT account_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES wallet(id)
);

CREATE TABLE approval (
  action text NOT NULL,
  subject text NOT NULL,
  payload_hash bytea NOT NULL,
  operator_id bigint NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT approval_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES player(id),
  CONSTRAINT approval_pkey PRIMARY KEY (action, subject, payload_hash, operator_id)
);

CREATE TABLE attempt (
  hash hash32 NOT NULL,
  chain_tx_id bigint NOT NULL,
  number smallint NOT NULL,
  raw text NOT NULL,
  max_fee_per_gas numeric(78,0) NOT NULL,
  max_priority_fee_per_gas numeric(78,0) NOT NULL,
  last_answer text,
  sent_at timestamp with time zone,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT attempt_chain_tx_id_fkey FOREIGN KEY (chain_tx_id) REFERENCES chain_tx(id),
  CONSTRAINT attempt_chain_tx_id_number_key UNIQUE (chain_tx_id, number),
  CONSTRAINT attempt_number_check CHECK (((number >= 1) AND (number <= 50))),
  CONSTRAINT attempt_pkey PRIMARY KEY (hash)
);

CREATE TABLE audit (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at timestamp with time zone NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}'::jsonb,
  CONSTRAINT audit_pkey PRIMARY KEY (id)
);

CREATE TABLE authorisation (
  wallet_id bigint NOT NULL,
  nonce bigint NOT NULL,
  executor evm_address NOT NULL,
  chain_tx_id bigint NOT NULL,
  CONSTRAINT authorisation_chain_tx_id_fkey FOREIGN KEY (chain_tx_id) REFERENCES chain_tx(id) ON DELETE CASCADE,
  CONSTRAINT authorisation_chain_tx_id_key UNIQUE (chain_tx_id),
  CONSTRAINT authorisation_nonce_check CHECK ((nonce >= 0)),
  CONSTRAINT authorisation_pkey PRIMARY KEY (wallet_id, nonce),
  CONSTRAINT authorisation_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES wallet(id)
);

CREATE TABLE block (
  number bigint NOT NULL,
  hash hash32 NOT NULL,
  parent_hash hash32 NOT NULL,
  stamped_at timestamp with time zone NOT NULL,
  CONSTRAINT block_pkey PRIMARY KEY (number)
);

CREATE TABLE books_check (
  one boolean NOT NULL DEFAULT true,
  checked_at timestamp with time zone NOT NULL,
  block_number bigint,
  result jsonb NOT NULL,
  compared_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT books_check_one_check CHECK (one),
  CONSTRAINT books_check_pkey PRIMARY KEY (one)
);

CREATE TABLE breach (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  invariant text NOT NULL,
  detail text NOT NULL,
  found_at timestamp with time zone NOT NULL DEFAULT now(),
  lifted_at timestamp with time zone,
  lifted_by text,
  lift_reason text,
  CONSTRAINT breach_pkey PRIMARY KEY (id)
);

CREATE TABLE chain_cursor (
  one boolean NOT NULL DEFAULT true,
  chain_id integer NOT NULL,
  head_number bigint NOT NULL,
  head_hash hash32 NOT NULL,
  head_stamped_at timestamp with time zone NOT NULL,
  safe_number bigint NOT NULL,
  finalized_number bigint NOT NULL,
  moved_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT chain_cursor_check CHECK (((finalized_number <= safe_number) AND (safe_number <= head_number))),
  CONSTRAINT chain_cursor_one_check CHECK (one),
  CONSTRAINT chain_cursor_pkey PRIMARY KEY (one)
);

CREATE TABLE chain_log (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  tx_hash hash32 NOT NULL,
  token evm_address NOT NULL,
  ordinal integer NOT NULL,
  sender text NOT NULL,
  recipient text NOT NULL,
  amount base_units NOT NULL,
  block_number bigint NOT NULL,
  block_hash hash32 NOT NULL,
  log_index integer NOT NULL,
  stamped_at timestamp with time zone NOT NULL,
  kind chain_log_kind NOT NULL,
  sender_wallet_id bigint,
  recipient_wallet_id bigint,
  canonical boolean NOT NULL DEFAULT true,
  inclusion integer NOT NULL DEFAULT 1,
  CONSTRAINT chain_log_amount_check CHECK (((amount)::numeric > (0)::numeric)),
  CONSTRAINT chain_log_ordinal_check CHECK ((ordinal >= 0)),
  CONSTRAINT chain_log_pkey PRIMARY KEY (id),
  CONSTRAINT chain_log_recipient_check CHECK (((length(recipient) = 42) AND (recipient ~ '^0x[0-9a-f]*$'::text))),
  CONSTRAINT chain_log_recipient_wallet_id_fkey FOREIGN KEY (recipient_wallet_id) REFERENCES wallet(id),
  CONSTRAINT chain_log_sender_check CHECK (((length(sender) = 42) AND (sender ~ '^0x[0-9a-f]*$'::text))),
  CONSTRAINT chain_log_sender_wallet_id_fkey FOREIGN KEY (sender_wallet_id) REFERENCES wallet(id),
  CONSTRAINT chain_log_token_fkey FOREIGN KEY (token) REFERENCES token(address),
  CONSTRAINT chain_log_tx_hash_token_ordinal_key UNIQUE (tx_hash, token, ordinal)
);

CREATE TABLE chain_tx (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  wallet_id bigint NOT NULL,
  nonce bigint NOT NULL,
  state text NOT NULL DEFAULT 'open'::text,
  gas_limit bigint NOT NULL,
  block_number bigint,
  mined_hash hash32,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT chain_tx_gas_limit_check CHECK ((gas_limit > 0)),
  CONSTRAINT chain_tx_nonce_check CHECK ((nonce >= 0)),
  CONSTRAINT chain_tx_pkey PRIMARY KEY (id),
  CONSTRAINT chain_tx_state_check CHECK ((state = ANY (ARRAY['open'::text, 'mined'::text, 'final'::text, 'reverted'::text]))),
  CONSTRAINT chain_tx_state_key UNIQUE (id, state),
  CONSTRAINT chain_tx_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES wallet(id),
  CONSTRAINT chain_tx_wallet_id_nonce_key UNIQUE (wallet_id, nonce)
);

CREATE TABLE chain_tx_instruction (
  chain_tx_id bigint NOT NULL,
  ordinal integer NOT NULL,
  instruction_id bigint NOT NULL,
  state text NOT NULL DEFAULT 'open'::text,
  CONSTRAINT chain_tx_instruction_chain_tx_id_state_fkey FOREIGN KEY (chain_tx_id, state) REFERENCES chain_tx(id, state) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT chain_tx_instruction_instruction_id_fkey FOREIGN KEY (instruction_id) REFERENCES instruction(id),
  CONSTRAINT chain_tx_instruction_ordinal_check CHECK ((ordinal >= 0)),
  CONSTRAINT chain_tx_instruction_pkey PRIMARY KEY (chain_tx_id, ordinal)
);

CREATE TABLE deposit (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  chain_log_id bigint NOT NULL,
  token evm_address NOT NULL,
  amount base_units NOT NULL,
  wallet_id bigint NOT NULL,
  player_id bigint,
  suspense_cause text,
  suspense_state suspense_state,
  claimed_by bigint,
  state deposit_state NOT NULL,
  credited boolean NOT NULL DEFAULT false,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT deposit_amount_check CHECK (((amount)::numeric > (0)::numeric)),
  CONSTRAINT deposit_chain_log_id_fkey FOREIGN KEY (chain_log_id) REFERENCES chain_log(id),
  CONSTRAINT deposit_chain_log_id_key UNIQUE (chain_log_id),
  CONSTRAINT deposit_check CHECK (((suspense_cause IS NULL) = (suspense_state IS NULL))),
  CONSTRAINT deposit_check1 CHECK (((player_id IS NOT NULL) OR (suspense_state IS NOT NULL))),
  CONSTRAINT deposit_claimed_by_fkey FOREIGN KEY (claimed_by) REFERENCES player(id),
  CONSTRAINT deposit_pkey PRIMARY KEY (id),
  CONSTRAINT deposit_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT deposit_token_fkey FOREIGN KEY (token) REFERENCES token(address),
  CONSTRAINT deposit_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES wallet(id)
);

CREATE TABLE evidence (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  game_id uuid NOT NULL,
  player_id bigint NOT NULL,
  text text NOT NULL,
  url text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT evidence_game_id_fkey FOREIGN KEY (game_id) REFERENCES game(id),
  CONSTRAINT evidence_pkey PRIMARY KEY (id),
  CONSTRAINT evidence_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT evidence_text_check CHECK (((length(text) >= 1) AND (length(text) <= 2000))),
  CONSTRAINT evidence_url_check CHECK ((length(url) <= 500))
);

CREATE TABLE exposure (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  player_id bigint NOT NULL,
  token evm_address NOT NULL,
  amount base_units NOT NULL,
  until_block bigint NOT NULL,
  business_key text NOT NULL,
  CONSTRAINT exposure_amount_check CHECK (((amount)::numeric > (0)::numeric)),
  CONSTRAINT exposure_business_key_key UNIQUE (business_key),
  CONSTRAINT exposure_pkey PRIMARY KEY (id),
  CONSTRAINT exposure_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT exposure_token_fkey FOREIGN KEY (token) REFERENCES token(address)
);

CREATE TABLE game (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  format text NOT NULL,
  proposal_id uuid NOT NULL,
  escrow_wallet_id bigint NOT NULL,
  token evm_address NOT NULL,
  red_player_id bigint NOT NULL,
  blue_player_id bigint NOT NULL,
  red_stake base_units NOT NULL,
  blue_stake base_units NOT NULL,
  terms text NOT NULL,
  referee_id bigint,
  rake_bps integer NOT NULL,
  state text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  expected_end_at timestamp with time zone NOT NULL,
  result_due_at timestamp with time zone NOT NULL,
  report_window_ms bigint NOT NULL,
  dispute_window_ms bigint NOT NULL,
  undo_window_ms bigint NOT NULL,
  red_report text,
  red_reported_at timestamp with time zone,
  blue_report text,
  blue_reported_at timestamp with time zone,
  report_due_at timestamp with time zone,
  dispute_due_at timestamp with time zone,
  disputed_at timestamp with time zone,
  settled_at timestamp with time zone,
  undo_until timestamp with time zone,
  settlement_number integer NOT NULL DEFAULT 0,
  covered_at_block bigint NOT NULL DEFAULT 0,
  deadline_at timestamp with time zone,
  CONSTRAINT game_blue_player_id_fkey FOREIGN KEY (blue_player_id) REFERENCES player(id),
  CONSTRAINT game_blue_report_check CHECK ((blue_report = ANY (ARRAY['red'::text, 'blue'::text, 'draw'::text, 'no_contest'::text]))),
  CONSTRAINT game_blue_stake_check CHECK (((blue_stake)::numeric > (0)::numeric)),
  CONSTRAINT game_check CHECK ((red_player_id <> blue_player_id)),
  CONSTRAINT game_check1 CHECK (((state = ANY (ARRAY['settled'::text, 'refunded'::text])) = (deadline_at IS NULL))),
  CONSTRAINT game_check2 CHECK (((state <> 'settled'::text) OR (settled_at IS NOT NULL))),
  CONSTRAINT game_dispute_window_ms_check CHECK ((dispute_window_ms > 0)),
  CONSTRAINT game_escrow_wallet_id_fkey FOREIGN KEY (escrow_wallet_id) REFERENCES wallet(id),
  CONSTRAINT game_escrow_wallet_id_key UNIQUE (escrow_wallet_id),
  CONSTRAINT game_format_check CHECK ((format = 'duel'::text)),
  CONSTRAINT game_pkey PRIMARY KEY (id),
  CONSTRAINT game_proposal_id_fkey FOREIGN KEY (proposal_id) REFERENCES proposal(id),
  CONSTRAINT game_proposal_id_key UNIQUE (proposal_id),
  CONSTRAINT game_rake_bps_check CHECK (((rake_bps >= 0) AND (rake_bps <= 10000))),
  CONSTRAINT game_red_player_id_fkey FOREIGN KEY (red_player_id) REFERENCES player(id),
  CONSTRAINT game_red_report_check CHECK ((red_report = ANY (ARRAY['red'::text, 'blue'::text, 'draw'::text, 'no_contest'::text]))),
  CONSTRAINT game_red_stake_check CHECK (((red_stake)::numeric > (0)::numeric)),
  CONSTRAINT game_referee_id_fkey FOREIGN KEY (referee_id) REFERENCES player(id),
  CONSTRAINT game_report_window_ms_check CHECK ((report_window_ms > 0)),
  CONSTRAINT game_state_check CHECK ((state = ANY (ARRAY['playing'::text, 'reported'::text, 'disputed'::text, 'settled'::text, 'refunded'::text]))),
  CONSTRAINT game_token_fkey FOREIGN KEY (token) REFERENCES token(address),
  CONSTRAINT game_undo_window_ms_check CHECK ((undo_window_ms >= 0))
);

CREATE TABLE idempotency_key (
  player_id bigint NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  body jsonb,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_key_key_check CHECK (((length(key) >= 8) AND (length(key) <= 128))),
  CONSTRAINT idempotency_key_pkey PRIMARY KEY (player_id, key),
  CONSTRAINT idempotency_key_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id)
);

CREATE TABLE instruction (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  kind instruction_kind NOT NULL,
  source_wallet_id bigint NOT NULL,
  token evm_address,
  destination evm_address NOT NULL,
  amount base_units NOT NULL,
  cause text NOT NULL,
  game_id uuid,
  player_id bigint,
  state instruction_state NOT NULL DEFAULT 'queued'::text,
  not_before timestamp with time zone NOT NULL DEFAULT now(),
  not_before_block bigint NOT NULL DEFAULT 0,
  note text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT instruction_amount_check CHECK ((((amount)::numeric > (0)::numeric) OR ((state)::text = 'cancelled'::text) OR ((kind)::text = 'deploy'::text))),
  CONSTRAINT instruction_game_id_fkey FOREIGN KEY (game_id) REFERENCES game(id),
  CONSTRAINT instruction_pkey PRIMARY KEY (id),
  CONSTRAINT instruction_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT instruction_source_wallet_id_fkey FOREIGN KEY (source_wallet_id) REFERENCES wallet(id),
  CONSTRAINT instruction_token_check CHECK (((token IS NULL) = ((kind)::text = ANY (ARRAY['topup'::text, 'deploy'::text])))),
  CONSTRAINT instruction_token_fkey FOREIGN KEY (token) REFERENCES token(address)
);

CREATE TABLE instruction_leg (
  transfer_id bigint NOT NULL,
  instruction_id bigint NOT NULL,
  sign smallint NOT NULL DEFAULT 1,
  CONSTRAINT instruction_leg_instruction_id_fkey FOREIGN KEY (instruction_id) REFERENCES instruction(id),
  CONSTRAINT instruction_leg_pkey PRIMARY KEY (transfer_id),
  CONSTRAINT instruction_leg_sign_check CHECK ((sign = ANY (ARRAY['-1'::integer, 1]))),
  CONSTRAINT instruction_leg_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES transfer(id)
);

CREATE TABLE lease (
  name text NOT NULL,
  holder text NOT NULL,
  fence bigint NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT lease_pkey PRIMARY KEY (name)
);

CREATE TABLE outbox (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  rooms text[] NOT NULL,
  name text NOT NULL,
  data jsonb NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT outbox_pkey PRIMARY KEY (id),
  CONSTRAINT outbox_rooms_check CHECK (((cardinality(rooms) >= 1) AND (cardinality(rooms) <= 20)))
);

CREATE TABLE overlay_link (
  token_hash bytea NOT NULL,
  player_id bigint NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  replaced_at timestamp with time zone,
  CONSTRAINT overlay_link_pkey PRIMARY KEY (token_hash),
  CONSTRAINT overlay_link_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id)
);

CREATE TABLE player (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  handle text NOT NULL,
  winnings_to text NOT NULL DEFAULT 'pool'::text,
  terms_accepted_at timestamp with time zone,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT player_handle_check CHECK ((handle ~ '^[A-Za-z0-9_]{3,20}$'::text)),
  CONSTRAINT player_pkey PRIMARY KEY (id),
  CONSTRAINT player_winnings_to_check CHECK ((winnings_to = ANY (ARRAY['pool'::text, 'wallet'::text])))
);

CREATE TABLE player_wallet (
  address evm_address NOT NULL,
  player_id bigint NOT NULL,
  is_primary boolean NOT NULL DEFAULT false,
  verified_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT player_wallet_pkey PRIMARY KEY (address),
  CONSTRAINT player_wallet_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id)
);

CREATE TABLE proposal (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  parent_id uuid,
  root_id uuid NOT NULL,
  proposer_id bigint NOT NULL,
  taker_id bigint,
  token evm_address NOT NULL,
  proposer_stake base_units NOT NULL,
  taker_stake base_units NOT NULL,
  terms text NOT NULL,
  referee_id bigint,
  expected_minutes integer NOT NULL,
  rake_bps integer NOT NULL,
  state text NOT NULL DEFAULT 'pending'::text,
  expires_at timestamp with time zone NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  decided_at timestamp with time zone,
  CONSTRAINT proposal_check CHECK ((proposer_id <> taker_id)),
  CONSTRAINT proposal_check1 CHECK (((referee_id <> proposer_id) AND (referee_id <> taker_id))),
  CONSTRAINT proposal_check2 CHECK (((state = 'pending'::text) = (decided_at IS NULL))),
  CONSTRAINT proposal_expected_minutes_check CHECK (((expected_minutes >= 1) AND (expected_minutes <= 10080))),
  CONSTRAINT proposal_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES proposal(id),
  CONSTRAINT proposal_pkey PRIMARY KEY (id),
  CONSTRAINT proposal_proposer_id_fkey FOREIGN KEY (proposer_id) REFERENCES player(id),
  CONSTRAINT proposal_proposer_stake_check CHECK (((proposer_stake)::numeric > (0)::numeric)),
  CONSTRAINT proposal_rake_bps_check CHECK (((rake_bps >= 0) AND (rake_bps <= 10000))),
  CONSTRAINT proposal_referee_id_fkey FOREIGN KEY (referee_id) REFERENCES player(id),
  CONSTRAINT proposal_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'accepted'::text, 'countered'::text, 'declined'::text, 'cancelled'::text, 'expired'::text]))),
  CONSTRAINT proposal_taker_id_fkey FOREIGN KEY (taker_id) REFERENCES player(id),
  CONSTRAINT proposal_taker_stake_check CHECK (((taker_stake)::numeric > (0)::numeric)),
  CONSTRAINT proposal_terms_check CHECK (((length(terms) >= 1) AND (length(terms) <= 280))),
  CONSTRAINT proposal_token_fkey FOREIGN KEY (token) REFERENCES token(address)
);

CREATE TABLE provider (
  position smallint NOT NULL,
  url text NOT NULL,
  ok boolean NOT NULL,
  agrees boolean NOT NULL,
  note text,
  head_number bigint,
  behind_blocks bigint NOT NULL,
  looked_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT provider_pkey PRIMARY KEY ("position")
);

CREATE TABLE recovery (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  cause text NOT NULL,
  began_at timestamp with time zone NOT NULL DEFAULT now(),
  from_block bigint NOT NULL,
  until_block bigint,
  ended_at timestamp with time zone,
  ended_by text,
  end_reason text,
  CONSTRAINT recovery_check CHECK ((((ended_at IS NULL) = (ended_by IS NULL)) AND ((ended_at IS NULL) = (end_reason IS NULL)))),
  CONSTRAINT recovery_pkey PRIMARY KEY (id)
);

CREATE TABLE room_sequence (
  room text NOT NULL,
  sequence bigint NOT NULL,
  CONSTRAINT room_sequence_pkey PRIMARY KEY (room)
);

CREATE TABLE session (
  id_hash bytea NOT NULL,
  player_id bigint,
  data jsonb NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT session_pkey PRIMARY KEY (id_hash),
  CONSTRAINT session_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id)
);

CREATE TABLE settlement (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  game_id uuid NOT NULL,
  rule_version integer NOT NULL,
  inputs jsonb NOT NULL,
  outputs jsonb NOT NULL,
  outcome text NOT NULL,
  decided_by text NOT NULL,
  decided_by_player_id bigint,
  reason text,
  settled_at timestamp with time zone NOT NULL DEFAULT now(),
  undone_at timestamp with time zone,
  undone_by bigint,
  undo_reason text,
  CONSTRAINT settlement_check CHECK (((decided_by = ANY (ARRAY['referee'::text, 'operator'::text])) = (decided_by_player_id IS NOT NULL))),
  CONSTRAINT settlement_decided_by_check CHECK ((decided_by = ANY (ARRAY['agreement'::text, 'clock'::text, 'nobody_reported'::text, 'dispute_clock'::text, 'referee'::text, 'operator'::text]))),
  CONSTRAINT settlement_decided_by_player_id_fkey FOREIGN KEY (decided_by_player_id) REFERENCES player(id),
  CONSTRAINT settlement_game_id_fkey FOREIGN KEY (game_id) REFERENCES game(id),
  CONSTRAINT settlement_outcome_check CHECK ((outcome = ANY (ARRAY['red'::text, 'blue'::text, 'draw'::text, 'no_contest'::text]))),
  CONSTRAINT settlement_pkey PRIMARY KEY (id),
  CONSTRAINT settlement_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES player(id)
);

CREATE TABLE sign_in_challenge (
  nonce text NOT NULL,
  address evm_address NOT NULL,
  message text NOT NULL,
  browser_hash bytea NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone NOT NULL,
  consumed_at timestamp with time zone,
  link_player_id bigint,
  CONSTRAINT sign_in_challenge_link_player_id_fkey FOREIGN KEY (link_player_id) REFERENCES player(id),
  CONSTRAINT sign_in_challenge_nonce_check CHECK ((length(nonce) >= 43)),
  CONSTRAINT sign_in_challenge_pkey PRIMARY KEY (nonce)
);

CREATE TABLE socket_io_attachments (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  payload bytea NOT NULL,
  CONSTRAINT socket_io_attachments_pkey PRIMARY KEY (id)
);

CREATE TABLE switch (
  name text NOT NULL,
  is_on boolean NOT NULL DEFAULT true,
  reason text,
  changed_by text,
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT switch_name_check CHECK ((name = ANY (ARRAY['outflows'::text, 'deposits'::text, 'proposals'::text]))),
  CONSTRAINT switch_pkey PRIMARY KEY (name)
);

CREATE TABLE token (
  address evm_address NOT NULL,
  symbol text NOT NULL,
  decimals smallint NOT NULL,
  position smallint NOT NULL,
  listed boolean NOT NULL DEFAULT true,
  code_address evm_address,
  CONSTRAINT token_decimals_check CHECK (((decimals >= 0) AND (decimals <= 36))),
  CONSTRAINT token_pkey PRIMARY KEY (address),
  CONSTRAINT token_symbol_check CHECK (((length(symbol) >= 1) AND (length(symbol) <= 20)))
);

CREATE TABLE transfer (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  debit_account_id bigint NOT NULL,
  credit_account_id bigint NOT NULL,
  token evm_address NOT NULL,
  amount base_units NOT NULL,
  reason transfer_reason NOT NULL,
  business_key text NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  debit_sequence bigint NOT NULL,
  credit_sequence bigint NOT NULL,
  debit_balance numeric(78,0) NOT NULL,
  credit_balance numeric(78,0) NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT transfer_amount_check CHECK (((amount)::numeric > (0)::numeric)),
  CONSTRAINT transfer_business_key_check CHECK (((length(business_key) >= 3) AND (length(business_key) <= 200))),
  CONSTRAINT transfer_business_key_key UNIQUE (business_key),
  CONSTRAINT transfer_check CHECK ((debit_account_id <> credit_account_id)),
  CONSTRAINT transfer_credit_account_id_fkey FOREIGN KEY (credit_account_id) REFERENCES account(id),
  CONSTRAINT transfer_debit_account_id_fkey FOREIGN KEY (debit_account_id) REFERENCES account(id),
  CONSTRAINT transfer_pkey PRIMARY KEY (id)
);

CREATE TABLE wallet (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  purpose text NOT NULL,
  derivation_index integer NOT NULL,
  address evm_address,
  player_id bigint,
  game_id uuid,
  next_nonce bigint NOT NULL DEFAULT 0,
  frozen_reason text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  retired boolean NOT NULL DEFAULT false,
  CONSTRAINT wallet_address_key UNIQUE (address),
  CONSTRAINT wallet_check CHECK (((player_id IS NULL) OR (purpose = 'deposit'::text))),
  CONSTRAINT wallet_check1 CHECK (((game_id IS NULL) OR (purpose = 'escrow'::text))),
  CONSTRAINT wallet_check2 CHECK (((address IS NOT NULL) OR ((player_id IS NULL) AND (game_id IS NULL)))),
  CONSTRAINT wallet_check3 CHECK (((NOT retired) OR ((player_id IS NULL) AND (game_id IS NULL)))),
  CONSTRAINT wallet_derivation_index_check CHECK ((derivation_index >= 0)),
  CONSTRAINT wallet_game_id_fkey FOREIGN KEY (game_id) REFERENCES game(id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT wallet_game_id_key UNIQUE (game_id),
  CONSTRAINT wallet_next_nonce_check CHECK ((next_nonce >= 0)),
  CONSTRAINT wallet_pkey PRIMARY KEY (id),
  CONSTRAINT wallet_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT wallet_purpose_check CHECK ((purpose = ANY (ARRAY['vault'::text, 'gas'::text, 'deposit'::text, 'escrow'::text]))),
  CONSTRAINT wallet_purpose_derivation_index_key UNIQUE (purpose, derivation_index)
);

CREATE TABLE withdrawal (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  player_id bigint NOT NULL,
  token evm_address NOT NULL,
  amount base_units NOT NULL,
  address evm_address NOT NULL,
  instruction_id bigint,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT withdrawal_amount_check CHECK (((amount)::numeric > (0)::numeric)),
  CONSTRAINT withdrawal_instruction_id_fkey FOREIGN KEY (instruction_id) REFERENCES instruction(id),
  CONSTRAINT withdrawal_pkey PRIMARY KEY (id),
  CONSTRAINT withdrawal_player_id_fkey FOREIGN KEY (player_id) REFERENCES player(id),
  CONSTRAINT withdrawal_token_fkey FOREIGN KEY (token) REFERENCES token(address)
);

CREATE VIEW instruction_tx AS
 SELECT chain_tx_instruction.instruction_id,
    chain_tx_instruction.ordinal,
    chain_tx.id,
    chain_tx.wallet_id,
    chain_tx.nonce,
    chain_tx.state,
    chain_tx.gas_limit,
    chain_tx.block_number,
    chain_tx.mined_hash,
    chain_tx.created_at
   FROM (chain_tx_instruction
     JOIN chain_tx ON ((chain_tx.id = chain_tx_instruction.chain_tx_id)));

CREATE INDEX account_game_idx ON public.account USING btree (game_id) WHERE (game_id IS NOT NULL);

CREATE INDEX account_player_idx ON public.account USING btree (player_id) WHERE (player_id IS NOT NULL);

CREATE INDEX account_wallet_idx ON public.account USING btree (wallet_id, token);

CREATE INDEX attempt_first_idx ON public.attempt USING btree (created_at) WHERE (number = 1);

CREATE INDEX audit_actor_idx ON public.audit USING btree (actor, at);

CREATE UNIQUE INDEX breach_standing_key ON public.breach USING btree (invariant, detail) WHERE (lifted_at IS NULL);

CREATE INDEX chain_log_block_idx ON public.chain_log USING btree (block_number);

CREATE INDEX chain_log_recipient_idx ON public.chain_log USING btree (recipient_wallet_id, block_number);

CREATE INDEX chain_log_sender_idx ON public.chain_log USING btree (sender_wallet_id, block_number);

CREATE INDEX chain_log_stray_idx ON public.chain_log USING btree (id) WHERE ((kind)::text = 'stray'::text);

CREATE INDEX chain_tx_instruction_instruction_idx ON public.chain_tx_instruction USING btree (instruction_id);

CREATE UNIQUE INDEX chain_tx_instruction_key ON public.chain_tx_instruction USING btree (instruction_id) WHERE (state <> 'reverted'::text);

CREATE INDEX chain_tx_open_idx ON public.chain_tx USING btree (state, id) WHERE (state = ANY (ARRAY['open'::text, 'mined'::text]));

CREATE INDEX deposit_open_idx ON public.deposit USING btree (state) WHERE ((state)::text = ANY (ARRAY['seen'::text, 'playable'::text]));

CREATE INDEX deposit_player_idx ON public.deposit USING btree (player_id, id DESC);

CREATE INDEX deposit_seen_idx ON public.deposit USING btree (player_id) WHERE ((state)::text = 'seen'::text);

CREATE INDEX deposit_suspense_idx ON public.deposit USING btree (id) WHERE ((suspense_state)::text = 'open'::text);

CREATE INDEX deposit_unclaimed_idx ON public.deposit USING btree (id) WHERE ((suspense_state)::text = ANY (ARRAY['open'::text, 'refunded'::text]));

CREATE INDEX evidence_game_idx ON public.evidence USING btree (game_id, id);

CREATE INDEX exposure_player_idx ON public.exposure USING btree (player_id, token, until_block);

CREATE INDEX exposure_until_idx ON public.exposure USING btree (until_block);

CREATE INDEX game_blue_idx ON public.game USING btree (blue_player_id, started_at DESC, id);

CREATE INDEX game_due_idx ON public.game USING btree (deadline_at) WHERE (deadline_at IS NOT NULL);

CREATE INDEX game_recent_idx ON public.game USING btree (started_at DESC, id);

CREATE INDEX game_red_idx ON public.game USING btree (red_player_id, started_at DESC, id);

CREATE INDEX instruction_due_idx ON public.instruction USING btree (source_wallet_id, COALESCE((token)::text, ''::text), id) WHERE ((state)::text = 'queued'::text);

CREATE INDEX instruction_game_idx ON public.instruction USING btree (game_id) WHERE (game_id IS NOT NULL);

CREATE INDEX instruction_leg_instruction_idx ON public.instruction_leg USING btree (instruction_id);

CREATE UNIQUE INDEX instruction_merge_key ON public.instruction USING btree (source_wallet_id, token, destination, cause) WHERE ((state)::text = ANY (ARRAY['gathering'::text, 'queued'::text]));

CREATE INDEX instruction_on_its_way_idx ON public.instruction USING btree (player_id) WHERE (((kind)::text = ANY (ARRAY['payout'::text, 'withdrawal'::text])) AND ((state)::text <> ALL (ARRAY['final'::text, 'cancelled'::text])));

CREATE INDEX instruction_open_idx ON public.instruction USING btree (source_wallet_id, id) WHERE ((state)::text = ANY (ARRAY['gathering'::text, 'queued'::text, 'sending'::text, 'mined'::text]));

CREATE INDEX instruction_player_idx ON public.instruction USING btree (player_id) WHERE (player_id IS NOT NULL);

CREATE INDEX instruction_state_idx ON public.instruction USING btree (state, id) WHERE ((state)::text = ANY (ARRAY['gathering'::text, 'queued'::text, 'sending'::text, 'mined'::text, 'parked'::text]));

CREATE UNIQUE INDEX overlay_link_standing_key ON public.overlay_link USING btree (player_id) WHERE (replaced_at IS NULL);

CREATE UNIQUE INDEX player_handle_key ON public.player USING btree (lower(handle));

CREATE INDEX player_wallet_player_id_idx ON public.player_wallet USING btree (player_id);

CREATE UNIQUE INDEX player_wallet_primary_key ON public.player_wallet USING btree (player_id) WHERE is_primary;

CREATE INDEX proposal_due_idx ON public.proposal USING btree (expires_at) WHERE (state = 'pending'::text);

CREATE INDEX proposal_pending_idx ON public.proposal USING btree (proposer_id) WHERE (state = 'pending'::text);

CREATE INDEX proposal_proposer_idx ON public.proposal USING btree (proposer_id, created_at DESC, id);

CREATE INDEX proposal_public_idx ON public.proposal USING btree (created_at DESC, id) WHERE ((state = 'pending'::text) AND (taker_id IS NULL));

CREATE INDEX proposal_root_idx ON public.proposal USING btree (root_id, created_at);

CREATE INDEX proposal_taker_idx ON public.proposal USING btree (taker_id, created_at DESC, id);

CREATE UNIQUE INDEX recovery_standing_key ON public.recovery USING btree ((true)) WHERE (ended_at IS NULL);

CREATE INDEX session_expiry_idx ON public.session USING btree (expires_at);

CREATE INDEX session_player_idx ON public.session USING btree (player_id);

CREATE UNIQUE INDEX settlement_standing_key ON public.settlement USING btree (game_id) WHERE (undone_at IS NULL);

CREATE INDEX sign_in_challenge_browser_idx ON public.sign_in_challenge USING btree (browser_hash);

CREATE INDEX sign_in_challenge_expiry_idx ON public.sign_in_challenge USING btree (expires_at);

CREATE INDEX socket_io_attachments_created_idx ON public.socket_io_attachments USING btree (created_at);

CREATE UNIQUE INDEX transfer_credit_key ON public.transfer USING btree (credit_account_id, credit_sequence);

CREATE UNIQUE INDEX transfer_debit_key ON public.transfer USING btree (debit_account_id, debit_sequence);

CREATE UNIQUE INDEX wallet_player_id_key ON public.wallet USING btree (player_id) WHERE (player_id IS NOT NULL);

CREATE UNIQUE INDEX wallet_single_key ON public.wallet USING btree (purpose) WHERE (purpose = ANY (ARRAY['vault'::text, 'gas'::text]));

CREATE INDEX wallet_spare_idx ON public.wallet USING btree (purpose, id) WHERE ((player_id IS NULL) AND (game_id IS NULL));

CREATE UNIQUE INDEX withdrawal_instruction_key ON public.withdrawal USING btree (instruction_id);

CREATE INDEX withdrawal_player_idx ON public.withdrawal USING btree (player_id, created_at DESC);

CREATE OR REPLACE FUNCTION public.apply_transfer()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  one account%ROWTYPE;
  debit account%ROWTYPE;
  credit account%ROWTYPE;
BEGIN
  -- Both rows in id order, so that opposite transfers between two accounts queue instead of deadlocking.
  FOR one IN SELECT * FROM account WHERE id IN (NEW.debit_account_id, NEW.credit_account_id) ORDER BY id FOR UPDATE LOOP
    IF one.id = NEW.debit_account_id THEN debit := one; ELSE credit := one; END IF;
  END LOOP;
  IF debit.id IS NULL OR credit.id IS NULL THEN
    RAISE EXCEPTION 'a transfer needs two accounts' USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF debit.token <> NEW.token OR credit.token <> NEW.token THEN
    RAISE EXCEPTION 'a transfer moves one token' USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_one_token';
  END IF;
  NEW.debit_sequence := debit.sequence + 1;
  NEW.credit_sequence := credit.sequence + 1;
  NEW.debit_balance := debit.balance + CASE debit.kind WHEN 'house.loss' THEN NEW.amount ELSE -NEW.amount END;
  NEW.credit_balance := credit.balance + CASE credit.kind WHEN 'house.loss' THEN -NEW.amount ELSE NEW.amount END;
  NEW.hash := transfer_hash(debit.head, credit.head, NEW.debit_account_id, NEW.credit_account_id, NEW.token,
    NEW.amount, NEW.reason, NEW.business_key, NEW.debit_sequence, NEW.credit_sequence);
  UPDATE account SET
    balance = CASE id WHEN debit.id THEN NEW.debit_balance ELSE NEW.credit_balance END,
    sequence = CASE id WHEN debit.id THEN NEW.debit_sequence ELSE NEW.credit_sequence END,
    head = NEW.hash
  WHERE id IN (debit.id, credit.id);
  RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION public.lock_accounts(ids bigint[])
 RETURNS SETOF account
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  RETURN QUERY SELECT * FROM account WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
END $function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $function$;

CREATE OR REPLACE FUNCTION public.refuse_unwritten(business_key text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% was not written: the books are not as was foreseen', business_key USING ERRCODE = 'OTR01';
END $function$;

CREATE OR REPLACE FUNCTION public.transfer_hash(debit_head bytea, credit_head bytea, debit_account_id bigint, credit_account_id bigint, token text, amount numeric, reason text, business_key text, debit_sequence bigint, credit_sequence bigint)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  SELECT sha256(convert_to(concat_ws('|', encode(debit_head, 'hex'), encode(credit_head, 'hex'),
    debit_account_id, credit_account_id, token, amount, reason, business_key, debit_sequence, credit_sequence), 'UTF8'))
$function$;

CREATE TRIGGER audit_immutable BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER transfer_applied BEFORE INSERT ON public.transfer FOR EACH ROW EXECUTE FUNCTION apply_transfer();

CREATE TRIGGER transfer_immutable BEFORE DELETE OR UPDATE ON public.transfer FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER transfer_kept BEFORE TRUNCATE ON public.transfer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT INSERT (game_id, kind, player_id, token, wallet_id), SELECT ON account TO on_the_rail_app;

GRANT INSERT, SELECT ON approval TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE (last_answer, sent_at) ON attempt TO on_the_rail_app;

GRANT INSERT, SELECT ON audit TO on_the_rail_app;

GRANT INSERT, SELECT ON authorisation TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON block TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON books_check TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON breach TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON chain_cursor TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON chain_log TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON chain_tx TO on_the_rail_app;

GRANT INSERT, SELECT ON chain_tx_instruction TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON deposit TO on_the_rail_app;

GRANT INSERT, SELECT ON evidence TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON exposure TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON game TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE (body) ON idempotency_key TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON instruction TO on_the_rail_app;

GRANT INSERT, SELECT ON instruction_leg TO on_the_rail_app;

GRANT SELECT ON instruction_tx TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON lease TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT ON outbox TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON overlay_link TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON player TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON player_wallet TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON proposal TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON provider TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON recovery TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON room_sequence TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON session TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE (undo_reason, undone_at, undone_by) ON settlement TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON sign_in_challenge TO on_the_rail_app;

GRANT DELETE, INSERT, SELECT ON socket_io_attachments TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON switch TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON token TO on_the_rail_app;

GRANT INSERT (amount, business_key, credit_account_id, debit_account_id, reason, token), SELECT ON transfer TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON wallet TO on_the_rail_app;

GRANT INSERT, SELECT, UPDATE ON withdrawal TO on_the_rail_app;

GRANT SELECT ON attempt TO on_the_rail_signer;

GRANT SELECT ON chain_tx TO on_the_rail_signer;

GRANT SELECT ON chain_tx_instruction TO on_the_rail_signer;

GRANT SELECT ON instruction TO on_the_rail_signer;

GRANT SELECT ON instruction_tx TO on_the_rail_signer;

GRANT SELECT ON wallet TO on_the_rail_signer;

-- Up Migration

-- Who may do what. The server logs in as a member of on_the_rail_app; the owner runs migrations and owns the tables.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'on_the_rail_app') THEN
    CREATE ROLE on_the_rail_app NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database of this cluster was being migrated at the same moment
END $$;

CREATE DOMAIN evm_address AS text CHECK (VALUE ~ '^0x[0-9a-f]{40}$');
CREATE DOMAIN hash32 AS text CHECK (VALUE ~ '^0x[0-9a-f]{64}$');
CREATE DOMAIN base_units AS numeric(78, 0) CHECK (VALUE >= 0);

CREATE TABLE token (
  address evm_address PRIMARY KEY,
  symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
  decimals smallint NOT NULL CHECK (decimals BETWEEN 0 AND 36),
  position smallint NOT NULL,
  listed boolean NOT NULL DEFAULT true
);

CREATE TABLE player (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  handle text NOT NULL CHECK (handle ~ '^[A-Za-z0-9_]{3,20}$'),
  winnings_to text NOT NULL DEFAULT 'pool' CHECK (winnings_to IN ('pool', 'wallet')),
  terms_accepted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX player_handle_key ON player (lower(handle));

-- A wallet of a player, each proven by its own signature.
CREATE TABLE player_wallet (
  address evm_address PRIMARY KEY,
  player_id bigint NOT NULL REFERENCES player,
  is_primary boolean NOT NULL DEFAULT false,
  verified_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX player_wallet_player_id_idx ON player_wallet (player_id);
CREATE UNIQUE INDEX player_wallet_primary_key ON player_wallet (player_id) WHERE is_primary;

-- A custody wallet of ours. The row and its derivation index are committed before the address is known to anybody;
-- an escrow or deposit wallet waits here without an owner until it is claimed, once and for ever.
CREATE TABLE wallet (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('vault', 'gas', 'deposit', 'escrow')),
  derivation_index integer NOT NULL CHECK (derivation_index >= 0),
  address evm_address UNIQUE,
  player_id bigint REFERENCES player,
  game_id uuid UNIQUE,
  next_nonce bigint NOT NULL DEFAULT 0 CHECK (next_nonce >= 0),
  frozen_reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (purpose, derivation_index),
  CHECK (player_id IS NULL OR purpose = 'deposit'),
  CHECK (game_id IS NULL OR purpose = 'escrow'),
  CHECK (address IS NOT NULL OR (player_id IS NULL AND game_id IS NULL))
);
CREATE UNIQUE INDEX wallet_player_id_key ON wallet (player_id) WHERE player_id IS NOT NULL;
CREATE UNIQUE INDEX wallet_single_key ON wallet (purpose) WHERE purpose IN ('vault', 'gas');
CREATE INDEX wallet_spare_idx ON wallet (purpose, id) WHERE player_id IS NULL AND game_id IS NULL;

-- Balances move only through the trigger on ledger rows: the application has no right to write here but to open one.
CREATE TABLE account (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN (
    'player.deposit', 'player.available', 'player.held', 'escrow.stakes',
    'house.rake', 'house.dust', 'house.loss', 'suspense', 'outside')),
  token evm_address NOT NULL REFERENCES token,
  -- The wallet that backs it; only the rest of the world has none.
  wallet_id bigint REFERENCES wallet,
  player_id bigint REFERENCES player,
  game_id uuid,
  balance numeric(78, 0) NOT NULL DEFAULT 0,
  sequence bigint NOT NULL DEFAULT 0,
  -- Hash of the last ledger row that touched this account.
  head bytea NOT NULL DEFAULT '\x',
  CONSTRAINT account_balance_check CHECK (balance >= 0 OR kind = 'outside'),
  CHECK ((kind = 'outside') = (wallet_id IS NULL)),
  CHECK ((kind LIKE 'player.%') = (player_id IS NOT NULL)),
  CHECK ((kind IN ('escrow.stakes', 'house.rake', 'house.dust')) = (game_id IS NOT NULL)),
  UNIQUE NULLS NOT DISTINCT (kind, token, wallet_id, player_id, game_id)
);
CREATE INDEX account_player_idx ON account (player_id) WHERE player_id IS NOT NULL;
CREATE INDEX account_wallet_idx ON account (wallet_id, token);
CREATE INDEX account_game_idx ON account (game_id) WHERE game_id IS NOT NULL;

-- The ledger: immutable rows, one debit, one credit. `hash` covers the row and the heads of both accounts before it.
CREATE TABLE transfer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  debit_account_id bigint NOT NULL REFERENCES account,
  credit_account_id bigint NOT NULL REFERENCES account,
  token evm_address NOT NULL,
  amount base_units NOT NULL CHECK (amount > 0),
  reason text NOT NULL CHECK (reason IN (
    'deposit', 'collect', 'hold', 'release', 'capture', 'win', 'payout', 'stake_returned', 'rake', 'dust',
    'withdrawal', 'sweep', 'suspense_claimed', 'suspense_refunded', 'deposit_orphaned', 'loss_booked',
    'loss_repaid', 'settlement_undone')),
  business_key text NOT NULL UNIQUE CHECK (length(business_key) BETWEEN 3 AND 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  debit_sequence bigint NOT NULL,
  credit_sequence bigint NOT NULL,
  debit_balance numeric(78, 0) NOT NULL,
  credit_balance numeric(78, 0) NOT NULL,
  hash bytea NOT NULL,
  CHECK (debit_account_id <> credit_account_id)
);
CREATE UNIQUE INDEX transfer_debit_key ON transfer (debit_account_id, debit_sequence);
CREATE UNIQUE INDEX transfer_credit_key ON transfer (credit_account_id, credit_sequence);

-- The bytes that a ledger row's hash covers; used by the trigger and by the check of the books alike.
CREATE FUNCTION transfer_hash(
  debit_head bytea, credit_head bytea, debit_account_id bigint, credit_account_id bigint, token text,
  amount numeric, reason text, business_key text, debit_sequence bigint, credit_sequence bigint
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(convert_to(concat_ws('|', encode(debit_head, 'hex'), encode(credit_head, 'hex'),
    debit_account_id, credit_account_id, token, amount, reason, business_key, debit_sequence, credit_sequence), 'UTF8'))
$$;

-- house.loss is the one account kept on the debit side: it grows when money is lost.
CREATE FUNCTION apply_transfer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  debit account%ROWTYPE;
  credit account%ROWTYPE;
BEGIN
  -- Both rows in id order, so that opposite transfers between two accounts queue instead of deadlocking.
  PERFORM 1 FROM account WHERE id IN (NEW.debit_account_id, NEW.credit_account_id) ORDER BY id FOR UPDATE;
  SELECT * INTO STRICT debit FROM account WHERE id = NEW.debit_account_id;
  SELECT * INTO STRICT credit FROM account WHERE id = NEW.credit_account_id;
  IF debit.token <> NEW.token OR credit.token <> NEW.token THEN
    RAISE EXCEPTION 'a transfer moves one token' USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_one_token';
  END IF;
  NEW.debit_sequence := debit.sequence + 1;
  NEW.credit_sequence := credit.sequence + 1;
  NEW.debit_balance := debit.balance + CASE debit.kind WHEN 'house.loss' THEN NEW.amount ELSE -NEW.amount END;
  NEW.credit_balance := credit.balance + CASE credit.kind WHEN 'house.loss' THEN -NEW.amount ELSE NEW.amount END;
  NEW.hash := transfer_hash(debit.head, credit.head, NEW.debit_account_id, NEW.credit_account_id, NEW.token,
    NEW.amount, NEW.reason, NEW.business_key, NEW.debit_sequence, NEW.credit_sequence);
  UPDATE account SET balance = NEW.debit_balance, sequence = NEW.debit_sequence, head = NEW.hash WHERE id = debit.id;
  UPDATE account SET balance = NEW.credit_balance, sequence = NEW.credit_sequence, head = NEW.hash WHERE id = credit.id;
  RETURN NEW;
END $$;
CREATE TRIGGER transfer_applied BEFORE INSERT ON transfer FOR EACH ROW EXECUTE FUNCTION apply_transfer();

-- Locks accounts in id order. The application may not update accounts, and FOR UPDATE needs that right.
CREATE FUNCTION lock_accounts(ids bigint[]) RETURNS SETOF account
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT * FROM account WHERE id = ANY (ids) ORDER BY id FOR UPDATE
$$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
-- Even the owner can't by mistake.
CREATE TRIGGER transfer_immutable BEFORE UPDATE OR DELETE ON transfer FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_kept BEFORE TRUNCATE ON transfer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT USAGE ON SCHEMA public TO on_the_rail_app;
GRANT SELECT, INSERT, UPDATE ON token, player, player_wallet, wallet TO on_the_rail_app;
GRANT SELECT ON account TO on_the_rail_app;
GRANT INSERT (kind, token, wallet_id, player_id, game_id) ON account TO on_the_rail_app;
GRANT SELECT ON transfer TO on_the_rail_app;
GRANT INSERT (debit_account_id, credit_account_id, token, amount, reason, business_key) ON transfer TO on_the_rail_app;
REVOKE ALL ON FUNCTION lock_accounts(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_accounts(bigint[]) TO on_the_rail_app;

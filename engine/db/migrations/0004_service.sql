-- Up Migration

-- A whole EIP-4361 message that we issued; consumed once.
CREATE TABLE sign_in_challenge (
  nonce text PRIMARY KEY CHECK (length(nonce) >= 43),
  address evm_address NOT NULL,
  message text NOT NULL,
  -- Hash of the cookie of the browser that asked.
  browser_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  consumed_at timestamptz
);
CREATE INDEX sign_in_challenge_expiry_idx ON sign_in_challenge (expires_at);

-- The id in the cookie is never stored, only its hash.
CREATE TABLE session (
  id_hash bytea PRIMARY KEY,
  player_id bigint REFERENCES player,
  data jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX session_player_idx ON session (player_id);
CREATE INDEX session_expiry_idx ON session (expires_at);

-- The answer to a write of money, kept for ever with its effect.
CREATE TABLE idempotency_key (
  player_id bigint NOT NULL REFERENCES player,
  key text NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
  request_hash bytea NOT NULL,
  body jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (player_id, key)
);

-- Events written with the change that they tell of; delivered afterwards, in order, by one relay.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rooms text[] NOT NULL CHECK (cardinality(rooms) BETWEEN 1 AND 20),
  name text NOT NULL,
  data jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz
);
CREATE INDEX outbox_waiting_idx ON outbox (id) WHERE published_at IS NULL;
CREATE TABLE room_sequence (
  room text PRIMARY KEY,
  sequence bigint NOT NULL
);
-- A read-only link to one player's live room; replaced, never edited.
CREATE TABLE overlay_link (
  token_hash bytea PRIMARY KEY,
  player_id bigint NOT NULL REFERENCES player,
  created_at timestamptz NOT NULL DEFAULT now(),
  replaced_at timestamptz
);
CREATE UNIQUE INDEX overlay_link_standing_key ON overlay_link (player_id) WHERE replaced_at IS NULL;

CREATE TABLE switch (
  name text PRIMARY KEY CHECK (name IN ('outflows', 'deposits', 'proposals')),
  is_on boolean NOT NULL DEFAULT true,
  reason text,
  changed_by text,
  changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO switch (name) VALUES ('outflows'), ('deposits'), ('proposals');

-- An invariant that didn't hold. While one stands, nothing leaves the house.
CREATE TABLE breach (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  invariant text NOT NULL,
  detail text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  lifted_at timestamptz,
  lifted_by text,
  lift_reason text
);
CREATE UNIQUE INDEX breach_standing_key ON breach (invariant, detail) WHERE lifted_at IS NULL;

-- The last full check of the books.
CREATE TABLE books_check (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  checked_at timestamptz NOT NULL,
  block_number bigint,
  result jsonb NOT NULL
);

-- What people with power did, and what they were refused.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE TRIGGER audit_immutable BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One operator's word for an act above the limit; a second operator's makes it happen.
CREATE TABLE approval (
  action text NOT NULL,
  subject text NOT NULL,
  payload_hash bytea NOT NULL,
  operator_id bigint NOT NULL REFERENCES player,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (action, subject, payload_hash, operator_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_challenge, session TO on_the_rail_app;
GRANT SELECT, INSERT, UPDATE (body) ON idempotency_key TO on_the_rail_app;
GRANT SELECT, INSERT, DELETE, UPDATE (published_at) ON outbox TO on_the_rail_app;
GRANT SELECT, INSERT, UPDATE ON room_sequence, overlay_link, switch, breach, books_check TO on_the_rail_app;
GRANT SELECT, INSERT ON audit, approval TO on_the_rail_app;

-- Up Migration

CREATE TABLE proposal (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  parent_id uuid REFERENCES proposal,
  root_id uuid NOT NULL,
  proposer_id bigint NOT NULL REFERENCES player,
  -- Null: open to anyone.
  taker_id bigint REFERENCES player,
  token evm_address NOT NULL REFERENCES token,
  proposer_stake base_units NOT NULL CHECK (proposer_stake > 0),
  taker_stake base_units NOT NULL CHECK (taker_stake > 0),
  terms text NOT NULL CHECK (length(terms) BETWEEN 1 AND 280),
  referee_id bigint REFERENCES player,
  expected_minutes integer NOT NULL CHECK (expected_minutes BETWEEN 1 AND 10080),
  rake_bps integer NOT NULL CHECK (rake_bps BETWEEN 0 AND 10000),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'countered', 'declined', 'cancelled', 'expired')),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  decided_at timestamptz,
  CHECK (proposer_id <> taker_id),
  CHECK (referee_id <> proposer_id AND referee_id <> taker_id),
  CHECK ((state = 'pending') = (decided_at IS NULL))
);
CREATE INDEX proposal_due_idx ON proposal (expires_at) WHERE state = 'pending';
CREATE INDEX proposal_public_idx ON proposal (created_at DESC, id) WHERE state = 'pending' AND taker_id IS NULL;
-- Counts a player's open offers, of which there is a limit.
CREATE INDEX proposal_pending_idx ON proposal (proposer_id) WHERE state = 'pending';
CREATE INDEX proposal_proposer_idx ON proposal (proposer_id, created_at DESC, id);
CREATE INDEX proposal_taker_idx ON proposal (taker_id, created_at DESC, id);
CREATE INDEX proposal_root_idx ON proposal (root_id, created_at);

CREATE TABLE game (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  format text NOT NULL CHECK (format IN ('duel')),
  proposal_id uuid NOT NULL UNIQUE REFERENCES proposal,
  escrow_wallet_id bigint NOT NULL UNIQUE REFERENCES wallet,
  token evm_address NOT NULL REFERENCES token,
  -- Red is the proposer, blue the taker, always.
  red_player_id bigint NOT NULL REFERENCES player,
  blue_player_id bigint NOT NULL REFERENCES player,
  red_stake base_units NOT NULL CHECK (red_stake > 0),
  blue_stake base_units NOT NULL CHECK (blue_stake > 0),
  terms text NOT NULL,
  referee_id bigint REFERENCES player,
  rake_bps integer NOT NULL CHECK (rake_bps BETWEEN 0 AND 10000),
  state text NOT NULL CHECK (state IN ('playing', 'reported', 'disputed', 'settled', 'refunded')),
  started_at timestamptz NOT NULL,
  expected_end_at timestamptz NOT NULL,
  result_due_at timestamptz NOT NULL,
  report_window_ms bigint NOT NULL CHECK (report_window_ms > 0),
  dispute_window_ms bigint NOT NULL CHECK (dispute_window_ms > 0),
  undo_window_ms bigint NOT NULL CHECK (undo_window_ms >= 0),
  red_report text CHECK (red_report IN ('red', 'blue', 'draw', 'no_contest')),
  red_reported_at timestamptz,
  blue_report text CHECK (blue_report IN ('red', 'blue', 'draw', 'no_contest')),
  blue_reported_at timestamptz,
  report_due_at timestamptz,
  dispute_due_at timestamptz,
  disputed_at timestamptz,
  settled_at timestamptz,
  undo_until timestamptz,
  -- Settlements so far, undone ones included: keeps the business keys of its transfers apart.
  settlement_number integer NOT NULL DEFAULT 0,
  -- The block that must be final before what is won here may leave the house.
  covered_at_block bigint NOT NULL DEFAULT 0,
  -- Every state that isn't the end has a deadline with a default.
  deadline_at timestamptz,
  CHECK (red_player_id <> blue_player_id),
  CHECK ((state IN ('settled', 'refunded')) = (deadline_at IS NULL)),
  CHECK (state <> 'settled' OR settled_at IS NOT NULL)
);
CREATE INDEX game_due_idx ON game (deadline_at) WHERE deadline_at IS NOT NULL;
CREATE INDEX game_red_idx ON game (red_player_id, started_at DESC, id);
CREATE INDEX game_blue_idx ON game (blue_player_id, started_at DESC, id);
CREATE INDEX game_recent_idx ON game (started_at DESC, id);
ALTER TABLE wallet ADD CONSTRAINT wallet_game_id_fkey FOREIGN KEY (game_id) REFERENCES game DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE account ADD CONSTRAINT account_game_id_fkey FOREIGN KEY (game_id) REFERENCES game;
ALTER TABLE instruction ADD CONSTRAINT instruction_game_id_fkey FOREIGN KEY (game_id) REFERENCES game;

CREATE TABLE evidence (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  game_id uuid NOT NULL REFERENCES game,
  player_id bigint NOT NULL REFERENCES player,
  text text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
  url text CHECK (length(url) <= 500),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX evidence_game_idx ON evidence (game_id, id);

-- How a game was settled: inputs, version of the rules, outputs; anyone can recompute it. One that stands per game.
CREATE TABLE settlement (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  game_id uuid NOT NULL REFERENCES game,
  rule_version integer NOT NULL,
  inputs jsonb NOT NULL,
  outputs jsonb NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('red', 'blue', 'draw', 'no_contest')),
  decided_by text NOT NULL CHECK (decided_by IN ('agreement', 'clock', 'nobody_reported', 'dispute_clock', 'referee', 'operator')),
  decided_by_player_id bigint REFERENCES player,
  reason text,
  settled_at timestamptz NOT NULL DEFAULT now(),
  undone_at timestamptz,
  undone_by bigint REFERENCES player,
  undo_reason text,
  CHECK ((decided_by IN ('referee', 'operator')) = (decided_by_player_id IS NOT NULL))
);
CREATE UNIQUE INDEX settlement_standing_key ON settlement (game_id) WHERE undone_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON proposal, game TO on_the_rail_app;
GRANT SELECT, INSERT ON evidence TO on_the_rail_app;
GRANT SELECT, INSERT, UPDATE (undone_at, undone_by, undo_reason) ON settlement TO on_the_rail_app;

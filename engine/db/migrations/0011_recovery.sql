-- Up Migration

-- The books may be older than the world: until an operator ends it, nothing is signed or sent, and the chain's word on
-- what was paid goes before that of the books.
CREATE TABLE recovery (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cause text NOT NULL,
  began_at timestamptz NOT NULL DEFAULT now(),
  -- What happened after this block may be missing.
  from_block bigint NOT NULL,
  -- The chain's head when it was first asked: what was ours by then must be explained and final.
  until_block bigint,
  ended_at timestamptz,
  ended_by text,
  end_reason text,
  CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX recovery_standing_key ON recovery ((true)) WHERE ended_at IS NULL;

-- An address that may have been shown to somebody whom the books don't know: watched for ever, never given an owner.
ALTER TABLE wallet ADD COLUMN retired boolean NOT NULL DEFAULT false,
  ADD CHECK (NOT retired OR (player_id IS NULL AND game_id IS NULL));

GRANT SELECT, INSERT, UPDATE ON recovery TO on_the_rail_app;

-- A message that links a wallet says to whom, and can't be used to sign in.
ALTER TABLE sign_in_challenge ADD COLUMN link_player_id bigint REFERENCES player;

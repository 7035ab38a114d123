-- Each of these was found by reading a whole table that only grows.
CREATE INDEX sign_in_challenge_browser_idx ON sign_in_challenge (browser_hash);
CREATE INDEX chain_log_stray_idx ON chain_log (id) WHERE kind = 'stray';
CREATE INDEX audit_actor_idx ON audit (actor, at);
CREATE INDEX attempt_first_idx ON attempt (created_at) WHERE number = 1;
CREATE INDEX deposit_seen_idx ON deposit (player_id) WHERE state = 'seen';
CREATE INDEX instruction_on_its_way_idx ON instruction (player_id)
  WHERE kind IN ('payout', 'withdrawal') AND state NOT IN ('final', 'cancelled');

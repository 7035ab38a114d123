-- Up Migration

-- What players are shown of suspense: claimed items are deposits like others.
CREATE INDEX deposit_unclaimed_idx ON deposit (id) WHERE suspense_state IN ('open', 'refunded');

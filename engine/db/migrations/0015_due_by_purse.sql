-- Which wallets have something queued, in which token, and what comes first: without reading all that waits behind it.
CREATE INDEX instruction_due_idx ON instruction (source_wallet_id, coalesce(token, ''), id) WHERE state = 'queued';

-- When the wallets were last held against the chain: a check that only looked at the books proves half.
ALTER TABLE books_check ADD COLUMN compared_at timestamptz NOT NULL DEFAULT now();

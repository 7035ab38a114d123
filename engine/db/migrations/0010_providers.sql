-- What each of our nodes last told the process that follows the chain: for the operator's screen and for metrics.
CREATE TABLE provider (
  position smallint PRIMARY KEY,
  -- Scheme and host: the rest may hold a key.
  url text NOT NULL,
  ok boolean NOT NULL,
  -- Whether its word on our wallets is that of the others.
  agrees boolean NOT NULL,
  note text,
  head_number bigint,
  behind_blocks bigint NOT NULL,
  looked_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON provider TO on_the_rail_app;

-- What every ledger row runs through, without being planned anew each time: a function in SQL is, unless it is inlined,
-- which takes that it promises no more than what it calls (concat_ws is STABLE); one in PL/pgSQL is planned once a session.
ALTER FUNCTION transfer_hash STABLE;

CREATE OR REPLACE FUNCTION lock_accounts(ids bigint[]) RETURNS SETOF account
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT * FROM account WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
END $$;

-- What is booked in the last packet of a transaction, with its COMMIT, is refused by the database itself: nobody looks at
-- the answer in between.
CREATE FUNCTION refuse_unwritten() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'no ledger row was written: an account is not open, or a balance does not suffice' USING ERRCODE = 'OTR01';
END $$;

-- What is booked in the last packet of a transaction, with its COMMIT, is refused by the database itself: nobody looks at
-- the answer in between.
CREATE FUNCTION refuse_unwritten(business_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% and what goes with it was not written: an account is not open, or a balance does not suffice', business_key USING ERRCODE = 'OTR01';
END $$;

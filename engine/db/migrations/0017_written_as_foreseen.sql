-- A block of deposits is written in one packet when the books are as they were read before: what isn't is refused by the
-- database itself, and then written the plain way.
GRANT USAGE ON SEQUENCE chain_log_id_seq, deposit_id_seq TO on_the_rail_app;

CREATE OR REPLACE FUNCTION refuse_unwritten(business_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% was not written: the books are not as was foreseen', business_key USING ERRCODE = 'OTR01';
END $$;

-- Who holds the keys reads what is committed, and can change nothing.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'on_the_rail_signer') THEN
    CREATE ROLE on_the_rail_signer NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database of this cluster was being migrated at the same moment
END $$;
GRANT USAGE ON SCHEMA public TO on_the_rail_signer;
GRANT SELECT ON instruction, wallet, chain_tx, attempt TO on_the_rail_signer;

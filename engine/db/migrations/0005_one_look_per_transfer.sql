-- apply_transfer reads and locks both accounts in one statement and writes both in another, where it took five.
CREATE OR REPLACE FUNCTION apply_transfer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  one account%ROWTYPE;
  debit account%ROWTYPE;
  credit account%ROWTYPE;
BEGIN
  -- Both rows in id order, so that opposite transfers between two accounts queue instead of deadlocking.
  FOR one IN SELECT * FROM account WHERE id IN (NEW.debit_account_id, NEW.credit_account_id) ORDER BY id FOR UPDATE LOOP
    IF one.id = NEW.debit_account_id THEN debit := one; ELSE credit := one; END IF;
  END LOOP;
  IF debit.id IS NULL OR credit.id IS NULL THEN
    RAISE EXCEPTION 'a transfer needs two accounts' USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF debit.token <> NEW.token OR credit.token <> NEW.token THEN
    RAISE EXCEPTION 'a transfer moves one token' USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_one_token';
  END IF;
  NEW.debit_sequence := debit.sequence + 1;
  NEW.credit_sequence := credit.sequence + 1;
  NEW.debit_balance := debit.balance + CASE debit.kind WHEN 'house.loss' THEN NEW.amount ELSE -NEW.amount END;
  NEW.credit_balance := credit.balance + CASE credit.kind WHEN 'house.loss' THEN -NEW.amount ELSE NEW.amount END;
  NEW.hash := transfer_hash(debit.head, credit.head, NEW.debit_account_id, NEW.credit_account_id, NEW.token,
    NEW.amount, NEW.reason, NEW.business_key, NEW.debit_sequence, NEW.credit_sequence);
  UPDATE account SET
    balance = CASE id WHEN debit.id THEN NEW.debit_balance ELSE NEW.credit_balance END,
    sequence = CASE id WHEN debit.id THEN NEW.debit_sequence ELSE NEW.credit_sequence END,
    head = NEW.hash
  WHERE id IN (debit.id, credit.id);
  RETURN NEW;
END $$;

-- A game's payout and a refund that were refused for good have a way out, too, as withdrawals have.
ALTER DOMAIN transfer_reason DROP CONSTRAINT transfer_reason_check1;
ALTER DOMAIN transfer_reason ADD CONSTRAINT transfer_reason_check CHECK (VALUE IN (
  'deposit', 'collect', 'hold', 'release', 'capture', 'win', 'payout', 'payout_returned', 'stake_returned', 'rake', 'dust',
  'withdrawal', 'withdrawal_returned', 'sweep', 'suspense_claimed', 'suspense_refunded', 'refund_returned',
  'deposit_orphaned', 'loss_booked', 'loss_repaid', 'settlement_undone'));

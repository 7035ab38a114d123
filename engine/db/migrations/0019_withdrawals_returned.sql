-- A withdrawal that was refused for good goes back into its player's pool.
ALTER TABLE transfer
  DROP CONSTRAINT transfer_reason_check,
  ADD CONSTRAINT transfer_reason_check CHECK (reason IN (
    'deposit', 'collect', 'hold', 'release', 'capture', 'win', 'payout', 'stake_returned', 'rake', 'dust',
    'withdrawal', 'withdrawal_returned', 'sweep', 'suspense_claimed', 'suspense_refunded', 'deposit_orphaned',
    'loss_booked', 'loss_repaid', 'settlement_undone'));

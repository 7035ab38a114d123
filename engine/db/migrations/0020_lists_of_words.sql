-- What a row of the money paths may be called, as types. A CHECK of a row is read and compiled anew by every statement,
-- also by one that leaves the column alone; a type's is kept, and looked at where a word comes in.
CREATE DOMAIN account_kind AS text CHECK (VALUE IN (
  'player.deposit', 'player.available', 'player.held', 'escrow.stakes', 'house.rake', 'house.dust', 'house.loss', 'suspense', 'outside'));
CREATE DOMAIN transfer_reason AS text CHECK (VALUE IN (
  'deposit', 'collect', 'hold', 'release', 'capture', 'win', 'payout', 'stake_returned', 'rake', 'dust',
  'withdrawal', 'withdrawal_returned', 'sweep', 'suspense_claimed', 'suspense_refunded', 'deposit_orphaned',
  'loss_booked', 'loss_repaid', 'settlement_undone'));
CREATE DOMAIN chain_log_kind AS text CHECK (VALUE IN ('deposit', 'move', 'outgoing', 'stray'));
CREATE DOMAIN deposit_state AS text CHECK (VALUE IN ('seen', 'playable', 'final', 'orphaned'));
CREATE DOMAIN suspense_state AS text CHECK (VALUE IN ('open', 'claimed', 'refunded'));
CREATE DOMAIN instruction_kind AS text CHECK (VALUE IN (
  'collect', 'fund', 'settle', 'payout', 'withdrawal', 'sweep', 'refund', 'topup', 'deploy'));
CREATE DOMAIN instruction_state AS text CHECK (VALUE IN (
  'gathering', 'queued', 'sending', 'mined', 'final', 'parked', 'cancelled'));

ALTER TABLE account DROP CONSTRAINT account_kind_check, ALTER kind TYPE account_kind;
ALTER TABLE transfer DROP CONSTRAINT transfer_reason_check, ALTER reason TYPE transfer_reason;
ALTER TABLE chain_log DROP CONSTRAINT chain_log_kind_check, ALTER kind TYPE chain_log_kind;
ALTER TABLE deposit
  DROP CONSTRAINT deposit_state_check, ALTER state TYPE deposit_state,
  DROP CONSTRAINT deposit_suspense_state_check, ALTER suspense_state TYPE suspense_state;
ALTER TABLE instruction
  DROP CONSTRAINT instruction_kind_check, ALTER kind TYPE instruction_kind,
  DROP CONSTRAINT instruction_state_check, ALTER state TYPE instruction_state;

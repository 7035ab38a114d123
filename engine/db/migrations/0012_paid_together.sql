-- A transaction pays one instruction, or, by the batch executor, several of one wallet and one token.

ALTER TABLE chain_tx ADD CONSTRAINT chain_tx_state_key UNIQUE (id, state);

CREATE TABLE chain_tx_instruction (
  chain_tx_id bigint NOT NULL,
  -- The place in the batch, which is that of its Transfer log among those of the token in the transaction.
  ordinal integer NOT NULL CHECK (ordinal >= 0),
  instruction_id bigint NOT NULL REFERENCES instruction,
  -- Always that of the transaction.
  state text NOT NULL DEFAULT 'open',
  PRIMARY KEY (chain_tx_id, ordinal),
  FOREIGN KEY (chain_tx_id, state) REFERENCES chain_tx (id, state) ON UPDATE CASCADE ON DELETE CASCADE
);
INSERT INTO chain_tx_instruction (chain_tx_id, ordinal, instruction_id, state) SELECT id, 0, instruction_id, state FROM chain_tx;
ALTER TABLE chain_tx DROP COLUMN instruction_id;
-- A second transaction for an instruction exists only after the first one failed for good.
CREATE UNIQUE INDEX chain_tx_instruction_key ON chain_tx_instruction (instruction_id) WHERE state <> 'reverted';
CREATE INDEX chain_tx_instruction_instruction_idx ON chain_tx_instruction (instruction_id);

-- The transactions of each instruction.
CREATE VIEW instruction_tx AS
  SELECT instruction_id, ordinal, chain_tx.* FROM chain_tx_instruction JOIN chain_tx ON chain_tx.id = chain_tx_id;

-- A nonce of a wallet that it spends by authorising an executor (EIP-7702), and the transaction that takes that along.
CREATE TABLE authorisation (
  wallet_id bigint NOT NULL REFERENCES wallet,
  nonce bigint NOT NULL CHECK (nonce >= 0),
  executor evm_address NOT NULL,
  chain_tx_id bigint NOT NULL UNIQUE REFERENCES chain_tx ON DELETE CASCADE,
  PRIMARY KEY (wallet_id, nonce)
);

-- The executor's deployment is a transaction of ours that moves nothing.
ALTER TABLE instruction
  DROP CONSTRAINT instruction_kind_check, DROP CONSTRAINT instruction_check, DROP CONSTRAINT instruction_check1,
  ADD CONSTRAINT instruction_kind_check
    CHECK (kind IN ('collect', 'fund', 'settle', 'payout', 'withdrawal', 'sweep', 'refund', 'topup', 'deploy')),
  ADD CONSTRAINT instruction_token_check CHECK ((token IS NULL) = (kind IN ('topup', 'deploy'))),
  ADD CONSTRAINT instruction_amount_check CHECK (amount > 0 OR state = 'cancelled' OR kind = 'deploy');

GRANT SELECT ON instruction_tx TO on_the_rail_app;
GRANT SELECT, INSERT ON chain_tx_instruction, authorisation TO on_the_rail_app;
GRANT SELECT ON instruction_tx, chain_tx_instruction TO on_the_rail_signer;

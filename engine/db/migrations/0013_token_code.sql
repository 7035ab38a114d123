-- Up Migration

-- Where the code of a token lies: behind a proxy the implementation's address, otherwise its own. Null until the token
-- was tried and listed; a change stops what leaves the house.
ALTER TABLE token ADD COLUMN code_address evm_address;

-- An event that was taken is gone: its room's number says that it was there.
DELETE FROM outbox WHERE published_at IS NOT NULL;
DROP INDEX outbox_waiting_idx;
ALTER TABLE outbox DROP COLUMN published_at;

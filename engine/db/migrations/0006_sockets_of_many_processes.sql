-- What one process says to the sockets of the others, when it is too long for a notification. Dropped after seconds.
CREATE TABLE socket_io_attachments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  payload bytea NOT NULL
);
CREATE INDEX socket_io_attachments_created_idx ON socket_io_attachments (created_at);
GRANT SELECT, INSERT, DELETE ON socket_io_attachments TO on_the_rail_app;

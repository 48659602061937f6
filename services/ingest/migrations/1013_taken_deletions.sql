-- migrate:up
SET lock_timeout = '5s';

-- When a process took the order, to delete the file with no transaction open; null: nobody has. While it is taken, the same
-- file cannot come in again.
ALTER TABLE object_deletion ADD COLUMN taken_at timestamptz;

-- migrate:down

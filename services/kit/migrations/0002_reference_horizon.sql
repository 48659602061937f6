-- migrate:up
SET lock_timeout = '5s';

-- Which transaction changed a row. A reader that asks for all changes since the oldest transaction that was open at
-- its last look misses none, however long a transaction takes and whatever the machine's clock does.
ALTER TABLE reference ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX reference_changed_in ON reference (changed_in);
DROP INDEX reference_changed;

-- migrate:down

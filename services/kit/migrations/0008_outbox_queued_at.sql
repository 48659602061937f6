-- migrate:up
SET lock_timeout = '5s';

-- Since when a row waits to be sent. `occurred_at` is the event's own time: an old event that is said again waits since
-- now. Rows that wait while this runs count from now on.
ALTER TABLE outbox ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now();

-- migrate:down

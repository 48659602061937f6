-- migrate:up
SET lock_timeout = '5s';

-- What cells come to is remembered until something is heard of their village. By the clock, or by `seq`, a look could miss a fact
-- that another process ends late; by its transaction it cannot. Of facts from before nobody asks: nothing is remembered of then.
ALTER TABLE fact ADD COLUMN heard_in xid8;
ALTER TABLE fact ALTER COLUMN heard_in SET DEFAULT pg_current_xact_id();
CREATE INDEX fact_heard_in ON fact (heard_in, village) WHERE heard_in IS NOT NULL;

-- migrate:down

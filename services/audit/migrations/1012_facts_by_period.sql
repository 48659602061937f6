-- migrate:up
SET lock_timeout = '5s';

-- The inspectors' table and the coverage ask for a month of every village: without this they read all years of all of them.
CREATE INDEX fact_by_period ON fact (period, village);

-- migrate:down

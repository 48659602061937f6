-- migrate:up
SET lock_timeout = '5s';

-- A quarter's yes/no page is one event about many cells.
ALTER TABLE fact DROP CONSTRAINT fact_event_id_key;
ALTER TABLE fact ADD CONSTRAINT fact_once UNIQUE (event_id, item, period);

-- migrate:down

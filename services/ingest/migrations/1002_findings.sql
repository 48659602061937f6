-- migrate:up
SET lock_timeout = '5s';

-- What does not add up in the content itself, found once when it is saved; the chain is looked at anew each time.
ALTER TABLE edition ADD COLUMN findings jsonb NOT NULL DEFAULT '[]';

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- What a replay finds is told with its place and sentence, so that somebody can judge it before a version or a limit is taken over.
ALTER TABLE replay_alert ADD COLUMN village text, ADD COLUMN item text, ADD COLUMN period text, ADD COLUMN sentence text;

-- migrate:down

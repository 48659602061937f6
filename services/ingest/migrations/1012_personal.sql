-- migrate:up
SET lock_timeout = '5s';

-- What was found in the text of a file when it came: [[page, kind], …], page 0 for its properties; null: not read.
ALTER TABLE attachment ADD COLUMN personal jsonb;

-- migrate:down

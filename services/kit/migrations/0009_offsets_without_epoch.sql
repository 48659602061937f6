-- migrate:up
SET lock_timeout = '5s';

-- A column that nobody ever wrote or read: the value of the offset itself is what fences a zombie off. The code before
-- this names the columns that it wants, so it goes on working.
ALTER TABLE consumer_offset DROP COLUMN epoch;

-- migrate:down

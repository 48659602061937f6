-- migrate:up
SET lock_timeout = '5s';

-- How often others joined a question, as publish said last, and what the profile made of that; never who.
ALTER TABLE question ADD COLUMN joined integer NOT NULL DEFAULT 0;
ALTER TABLE question ADD COLUMN joint_then text;
ALTER TABLE question ADD COLUMN joint_due date;

-- migrate:down

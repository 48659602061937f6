-- migrate:up
SET lock_timeout = '5s';

-- An alert on a villager's question names it by its id; a question about a village as a whole has neither item nor period.
ALTER TABLE alert ADD COLUMN question text;
ALTER TABLE alert ALTER COLUMN item DROP NOT NULL, ALTER COLUMN period DROP NOT NULL;

-- migrate:down

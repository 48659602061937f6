-- migrate:up
SET lock_timeout = '5s';

-- Signed sheets are looked through by place, newest first; they are few among the facts.
CREATE INDEX fact_sheets ON fact (seq DESC) WHERE kind = 'confirmed' AND data ? 'by_sheet';

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Which invoices the newest edition of a village's disclosure names, each as a keyed mark, so that one that stands in two
-- lines is told without opening what else the village entered. What was entered before has none until it is saved again.
CREATE TABLE invoice_mark (
    disclosure_id uuid NOT NULL,
    village_code text NOT NULL,
    mark bigint NOT NULL,
    line integer NOT NULL,
    PRIMARY KEY (disclosure_id, mark, line)
);
CREATE INDEX invoice_mark_of ON invoice_mark (village_code, mark);

-- migrate:down

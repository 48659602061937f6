-- migrate:up
SET lock_timeout = '5s';

-- What rules say of a cell, one row each: `{"A02": {"pass": 2, "hit": 1}, "D07": {"n/a 没有更正过": 1}}`. Most of it is that
-- something passes, and nobody asks of which account. Rows of `outcome`, one for each subject and rule, stay where they are and
-- are counted there, until a job has counted them here and deleted them (`verdicts moved`), village by village; then it
-- stays empty.
CREATE TABLE verdict (
    village text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    rules jsonb NOT NULL,
    PRIMARY KEY (period, village, item)
);
CREATE INDEX outcome_by_village ON outcome (village);

-- migrate:down

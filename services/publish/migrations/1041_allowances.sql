-- migrate:up
SET lock_timeout = '5s';

-- How often one network, one village or one name had its turn, for all processes together; whose it was is a keyed mark that
-- changes every day. Of no use after a crash, so no log is written of it.
CREATE UNLOGGED TABLE allowance (
    kind text NOT NULL,
    whose bytea NOT NULL,
    over_at timestamptz NOT NULL,
    PRIMARY KEY (kind, whose)
);
CREATE INDEX allowance_over ON allowance (over_at);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Who gave whose account a new password; the topic remembers it for 30 days, this for ever.
CREATE TABLE staff_reset (
    account text NOT NULL,
    reset_by text NOT NULL,
    reset_at timestamptz NOT NULL,
    PRIMARY KEY (account, reset_at, reset_by)
);
CREATE INDEX staff_reset_in_order ON staff_reset (reset_at DESC);
CREATE INDEX fact_approved_by ON fact ((data ->> 'approved_by'), occurred_at) WHERE kind = 'approved';
CREATE INDEX fact_reset_of ON fact ((data ->> 'account')) WHERE kind = 'reset';

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Heads of the services' trails as they were signed, kept for ever: some nine thousand a year and service at most.
-- `contradicts`: the service had signed otherwise before, so one of the two is of a chain that was rewritten.
CREATE TABLE trail_head (
    event_id uuid PRIMARY KEY,
    service text NOT NULL,
    position bigint NOT NULL,
    link text NOT NULL,
    said_at timestamptz NOT NULL,
    signature text NOT NULL,
    contradicts boolean NOT NULL
);
CREATE INDEX trail_head_in_order ON trail_head (service, said_at DESC, position DESC);
CREATE INDEX trail_head_contradicting ON trail_head (service, said_at DESC) WHERE contradicts;

-- migrate:down

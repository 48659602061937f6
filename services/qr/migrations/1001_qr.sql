-- migrate:up
SET lock_timeout = '5s';

-- Every code that ever hung on a wall. The unique serial is what keeps a repeated division event from issuing twice.
CREATE TABLE code (
    code text PRIMARY KEY,
    village text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('board', 'gate', 'card')),
    place text,
    serial integer NOT NULL CHECK (serial >= 1),
    state text NOT NULL DEFAULT 'valid' CHECK (state IN ('valid', 'revoked')),
    issued_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_by text,
    revoked_for text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (village, serial),
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE INDEX code_changed ON code (changed_at);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- What must never travel: who a person is travels as staff.set, this stays.
CREATE TABLE credential (
    staff_id text PRIMARY KEY,
    username text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- Failures by the name that was typed, whether such an account exists or not.
CREATE TABLE sign_in_failure (
    username text PRIMARY KEY,
    failures integer NOT NULL,
    blocked_until timestamptz NOT NULL
);

CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    private_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- Refresh tokens, hashed; a browser renews its access token with one.
CREATE TABLE session (
    token_digest text PRIMARY KEY,
    staff_id text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_staff ON session (staff_id);

-- migrate:down

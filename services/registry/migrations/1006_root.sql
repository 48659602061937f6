-- migrate:up
SET lock_timeout = '5s';

-- Under which root key everything was said: under a new one, all is said once more. Only public halves stand here.
CREATE TABLE root_used (
    public_key text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- migrate:down

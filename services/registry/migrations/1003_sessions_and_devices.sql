-- migrate:up
SET lock_timeout = '5s';

-- When a session was renewed last, from where it came, and of which form; rows from before count as used at this upgrade.
ALTER TABLE session
    ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN address text,
    ADD COLUMN browser text,
    ADD COLUMN form_digest text;

-- Since when a password for one time is one: those that are waiting have their days from this upgrade on.
-- `totp_next` is a second factor that its owner has not confirmed by a code yet.
ALTER TABLE credential
    ADD COLUMN one_time_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN totp_next text;

-- Browsers in which an account signed in, by the hash of their cookie: what others fail at does not shut them out.
CREATE TABLE device (
    token_digest text NOT NULL,
    staff_id text NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (token_digest, staff_id)
);
CREATE INDEX device_by_staff ON device (staff_id);

-- What failures are counted under: a name that there is, `own/…` and `device/…` of an account, or one of 65,536 places
-- for names that nobody has. The column keeps its name for the code before.
COMMENT ON COLUMN sign_in_failure.username IS 'what failures are counted under, see services/registry/commands/signing_in.py';

-- migrate:down

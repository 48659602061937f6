-- migrate:up
SET lock_timeout = '5s';

-- The second factor (RFC 6238), base32; `totp_step` is the last step that was used, so no code opens twice.
-- `must_change` marks a password that others know: it opens nothing until its owner has chosen another.
ALTER TABLE credential
    ADD COLUMN totp_secret text,
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0,
    ADD COLUMN must_change boolean NOT NULL DEFAULT false,
    ADD COLUMN signed_in_at timestamptz;

-- Sessions have a name that may be shown; rows from before get one now.
ALTER TABLE session ADD COLUMN session_id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE INDEX session_by_end ON session (expires_at);

-- migrate:down

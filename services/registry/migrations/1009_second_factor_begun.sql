-- migrate:up
SET lock_timeout = '5s';

-- Since when a second factor waits for its first code; after an hour it waits no more. NULL: begun before this was kept.
ALTER TABLE credential ADD COLUMN totp_next_since timestamptz;

-- migrate:down

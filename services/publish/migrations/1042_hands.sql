-- migrate:up
SET lock_timeout = '5s';

-- When the edition that was public first was delivered, handed in and confirmed: so it can be told in whose hands its late days
-- were. Null of what was let out before this; `sanwu rebuild publish` fills it in.
ALTER TABLE publish_read.publication
    ADD COLUMN submitted_at timestamptz,
    ADD COLUMN confirmed_at timestamptz,
    ADD COLUMN delivered_at timestamptz;

-- migrate:down

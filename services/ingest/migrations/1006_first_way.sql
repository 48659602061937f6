-- migrate:up
SET lock_timeout = '5s';

-- When the first edition was handed in and confirmed: lateness is charged by these, whatever is corrected later.
ALTER TABLE disclosure
    ADD COLUMN first_submitted_at timestamptz,
    ADD COLUMN first_confirmed_at timestamptz;
UPDATE disclosure SET first_submitted_at = submitted_at, first_confirmed_at = confirmed_at
WHERE published_at IS NOT NULL AND edition = published_edition;

-- migrate:down

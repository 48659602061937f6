-- migrate:up
SET lock_timeout = '5s';

-- A withdrawal hides at once and erases later: until `key_dies_at` the content stays here, for inspectors to read and for
-- a mistake to be undone. Of what was withdrawn before this, nothing is left: no time, nothing to restore.
ALTER TABLE disclosure
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by text,
    ADD COLUMN withdrawn_from text,
    ADD COLUMN withdrawal_kind text,
    ADD COLUMN key_dies_at timestamptz;
CREATE INDEX disclosure_to_erase ON disclosure (key_dies_at) WHERE key_dies_at IS NOT NULL;
CREATE INDEX disclosure_withdrawn_by ON disclosure (withdrawn_by, withdrawn_at) WHERE withdrawn_by IS NOT NULL;

-- migrate:down

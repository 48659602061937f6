-- migrate:up
SET lock_timeout = '5s';

-- What was withdrawn and may still be restored: out of every table that pages and programs read, whole in this one. It
-- goes when the disclosure is erased.
CREATE TABLE publish_read.withheld (
    disclosure_id text PRIMARY KEY,
    village_code text NOT NULL,
    kept jsonb NOT NULL
);

-- That something was withdrawn and came back is part of its history.
ALTER TABLE publish_read.publication
    ADD COLUMN was_withdrawn_at timestamptz,
    ADD COLUMN restored_at timestamptz,
    ADD COLUMN restored_reason text;

-- Out of the models that served before as well: nobody switches back to what was withdrawn.
CREATE FUNCTION read_model_hide(gone text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT n.nspname, c.relname
              FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'disclosure_id'
              WHERE n.nspname ~ '^publish_old_[0-9]+$' LOOP
        EXECUTE format('DELETE FROM %I.%I WHERE disclosure_id = $1', it.nspname, it.relname) USING gone;
    END LOOP;
END $$;

ALTER TABLE change DROP CONSTRAINT change_kind_check;
ALTER TABLE change ADD CONSTRAINT change_kind_check
    CHECK (kind IN ('published', 'corrected', 'withdrawn', 'restored')) NOT VALID;

-- migrate:down

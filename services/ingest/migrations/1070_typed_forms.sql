-- migrate:up
SET lock_timeout = '5s';

-- What somebody typed into a form and is no edition yet, sealed under the key of the disclosure: of an empty cell, of the one
-- that it will become (`edition` 0). `revision` counts savings, so that of two who type neither overwrites the other unseen.
CREATE TABLE typed_form (
    disclosure_id uuid PRIMARY KEY,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    edition integer NOT NULL,
    revision integer NOT NULL,
    fields_sealed bytea NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    -- An event beside the first of its day.
    is_another boolean NOT NULL DEFAULT false
);
ALTER TABLE typed_form ALTER COLUMN fields_sealed SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX typed_form_begun ON typed_form (village_code, item, period) WHERE edition = 0 AND NOT is_another;
CREATE INDEX typed_form_by_village ON typed_form (village_code, saved_at);
-- Written anew every few seconds while somebody types: old rows go soon.
ALTER TABLE typed_form SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- migrate:down

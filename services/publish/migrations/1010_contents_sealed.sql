-- migrate:up
SET lock_timeout = '5s';

-- Content of public editions rests under the disclosure's key, what was said of it with it. The columns in clear are read
-- where this is null; a job seals what stands there and empties them (`publish contents sealed`). What was withdrawn and may
-- be restored is set aside as these rows are, so it is sealed too.
ALTER TABLE publish_read.edition
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN sealed bytea;
ALTER TABLE publish_read.edition ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX edition_clear ON publish_read.edition (disclosure_id, edition) WHERE sealed IS NULL;
CREATE INDEX withheld_clear ON publish_read.withheld (disclosure_id) WHERE kept @? '$.editions[*] ? (@.sealed == null || !exists(@.sealed))';

-- migrate:down

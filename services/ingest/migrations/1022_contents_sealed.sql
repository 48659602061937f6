-- migrate:up
SET lock_timeout = '5s';

-- What was written of a disclosure rests under the disclosure's key: `body_sealed` the content, `remarks_sealed` what stands
-- beside it, `said_sealed` a party's words and names, `note_sealed` why it was sent back. The columns in clear are read
-- where these are null; a job seals what stands there and empties them (`ingest contents sealed`). `kind` stays in clear:
-- the chain of ledgers is found by it.
ALTER TABLE edition
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN kind text,
    ADD COLUMN body_sealed bytea,
    ADD COLUMN remarks_sealed bytea;
-- Ciphertext does not compress.
ALTER TABLE edition ALTER COLUMN body_sealed SET STORAGE EXTERNAL, ALTER COLUMN remarks_sealed SET STORAGE EXTERNAL;
ALTER TABLE confirmation ADD COLUMN said_sealed bytea;
ALTER TABLE disclosure ADD COLUMN note_sealed bytea;

-- What the job has still to seal; empty for ever after.
CREATE INDEX edition_clear ON edition (disclosure_id, edition) WHERE body_sealed IS NULL OR remarks_sealed IS NULL;
CREATE INDEX confirmation_clear ON confirmation (disclosure_id) WHERE said_sealed IS NULL;
CREATE INDEX disclosure_clear ON disclosure (id) WHERE state = 'returned' AND note IS NOT NULL;

-- migrate:down

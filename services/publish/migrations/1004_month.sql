-- migrate:up
SET lock_timeout = '5s';

-- Seven kinds; what the village let out itself; whom the agency's material waits for.
ALTER TABLE publish_read.publication
    ADD COLUMN kind text NOT NULL DEFAULT 'ledger',
    ADD COLUMN amount_fen bigint,
    ADD COLUMN release text NOT NULL DEFAULT 'approve',
    ADD COLUMN filed_at timestamptz;
ALTER TABLE publish_read.step ADD COLUMN delivered_at timestamptz;
-- What was said of an edition: who confirmed, what a correction changed. Goes with the edition.
ALTER TABLE publish_read.edition ADD COLUMN said jsonb NOT NULL DEFAULT '{}';

CREATE TABLE publish_read.waiver (
    waiver_id text PRIMARY KEY,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    version bigint NOT NULL,
    state text NOT NULL,
    reason text,
    since timestamptz NOT NULL
);
CREATE INDEX waiver_by_village ON publish_read.waiver (village_code);

CREATE TABLE publish_read.declaration (
    village_code text NOT NULL,
    quarter text NOT NULL,
    edition integer NOT NULL,
    answers jsonb NOT NULL,
    confirmed_at timestamptz NOT NULL,
    PRIMARY KEY (village_code, quarter)
);

-- Which public files which disclosure shows.
CREATE TABLE publish_read.attachment_ref (
    digest text NOT NULL,
    disclosure_id text NOT NULL,
    village_code text NOT NULL,
    PRIMARY KEY (digest, disclosure_id)
);

-- migrate:down

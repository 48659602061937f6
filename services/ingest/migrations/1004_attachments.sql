-- migrate:up
SET lock_timeout = '5s';

-- Files that a village handed in. The public file stands in the object store under `digest`; what was uploaded is kept
-- encrypted, for whoever has to check a picture against its original.
CREATE TABLE attachment (
    village_code text NOT NULL,
    digest text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    key bytea NOT NULL,
    nonce bytea NOT NULL,
    original bytea NOT NULL,
    PRIMARY KEY (village_code, digest)
);
CREATE INDEX attachment_by_digest ON attachment (digest);

-- Which disclosures name a file, in content or as a signed sheet.
CREATE TABLE attachment_use (
    digest text NOT NULL,
    disclosure_id uuid NOT NULL,
    village_code text NOT NULL,
    PRIMARY KEY (digest, disclosure_id)
);
CREATE INDEX attachment_use_of ON attachment_use (disclosure_id);

-- Files to be deleted from the store once this has committed; a row goes when the file is gone.
CREATE TABLE object_deletion (
    digest text PRIMARY KEY,
    queued_at timestamptz NOT NULL
);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Of a picture of a voucher nothing stands in the object store: what was read in rests here as `original`, sealed, and
-- `thumbnail` beside it (nonce and ciphertext). `voucher`: the number that its file's name tells, such as 记-12.
ALTER TABLE attachment
    ADD COLUMN inside boolean NOT NULL DEFAULT false,
    ADD COLUMN thumbnail bytea,
    ADD COLUMN voucher text;

-- What may be shown of such a picture: a copy of its own, with boxes burnt in (`boxes` in ten-thousandths of width and
-- height), or as it is where somebody saw that there is nothing to cover (no box). Decided on for each disclosure by itself.
CREATE TABLE redaction (
    disclosure_id uuid NOT NULL,
    village_code text NOT NULL,
    digest text NOT NULL,
    shown_digest text NOT NULL,
    boxes jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (disclosure_id, digest),
    FOREIGN KEY (village_code, digest) REFERENCES attachment (village_code, digest) ON DELETE CASCADE
);
CREATE INDEX redaction_shown ON redaction (village_code, shown_digest);
CREATE INDEX redaction_of ON redaction (village_code, digest);

-- migrate:down

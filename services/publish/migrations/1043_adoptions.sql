-- migrate:up
SET lock_timeout = '5s';

-- Who took which edition over (已采用): an address of the web where they said that it may be shown, and of whoever took it
-- nothing but a hash of the secret that leads back. Owned here and never rebuilt.
CREATE TABLE adoption (
    taker bytea NOT NULL,
    disclosure_id text NOT NULL,
    village_code text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    address text,
    adopted_at timestamptz NOT NULL,
    PRIMARY KEY (taker, disclosure_id)
);
CREATE INDEX adoption_by_disclosure ON adoption (disclosure_id, adopted_at DESC);

-- migrate:down

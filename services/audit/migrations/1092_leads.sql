-- migrate:up
SET lock_timeout = '5s';

-- What a rule of kind L suspects (疑点). Apart from alerts: no event, no API, no export and no other desk reads this table.
CREATE TABLE lead (
    lead_id text PRIMARY KEY,
    rule text NOT NULL,
    rule_version text NOT NULL,
    village text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    level integer NOT NULL,
    amount_fen bigint NOT NULL,
    sentence text NOT NULL,
    found_at timestamptz NOT NULL,
    hash text NOT NULL,
    pack text NOT NULL
);
CREATE INDEX lead_in_order ON lead (level DESC, amount_fen DESC, lead_id DESC);
CREATE INDEX lead_by_village ON lead (village);

-- migrate:down

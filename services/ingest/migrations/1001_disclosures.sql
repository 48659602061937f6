-- migrate:up
SET lock_timeout = '5s';

CREATE TABLE disclosure (
    id uuid PRIMARY KEY,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    state text NOT NULL,
    edition integer NOT NULL,
    digest text NOT NULL,
    history boolean NOT NULL,
    created_at timestamptz NOT NULL,
    saved_by text NOT NULL,
    submitted_at timestamptz,
    submitted_by text,
    confirmed_at timestamptz,
    approved_at timestamptz,
    published_at timestamptz,
    note text
);
-- One disclosure per cell; on-event items have a date as period and may have several.
CREATE UNIQUE INDEX disclosure_cell ON disclosure (village_code, item, period)
    WHERE state <> 'withdrawn' AND length(period) < 10;
CREATE INDEX disclosure_open ON disclosure (village_code, state, id);

-- Content of each edition; deleted for good on withdrawal.
CREATE TABLE edition (
    disclosure_id uuid NOT NULL REFERENCES disclosure (id),
    edition integer NOT NULL,
    body jsonb NOT NULL,
    accepted jsonb NOT NULL DEFAULT '[]',
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (disclosure_id, edition)
);

CREATE TABLE confirmation (
    disclosure_id uuid NOT NULL REFERENCES disclosure (id),
    edition integer NOT NULL,
    kind text NOT NULL,
    actor_id text NOT NULL,
    confirmed_at timestamptz NOT NULL,
    PRIMARY KEY (disclosure_id, edition, kind, actor_id)
);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Corrections: what everybody can read while the next edition is under way. Filing: what the village let out itself.
ALTER TABLE disclosure
    ADD COLUMN published_edition integer,
    ADD COLUMN release text,
    ADD COLUMN filed_at timestamptz,
    ADD COLUMN delivered_at timestamptz,
    ADD COLUMN nil boolean NOT NULL DEFAULT false,
    ADD COLUMN note_lines jsonb NOT NULL DEFAULT '[]';
UPDATE disclosure SET published_edition = edition WHERE published_at IS NOT NULL AND state IN ('approved', 'published');

ALTER TABLE edition
    ADD COLUMN note text,
    ADD COLUMN secrecy_checked_by text;

-- Each party's word by name; a signed sheet speaks for several people. Content, so it goes with a withdrawal.
ALTER TABLE confirmation
    ADD COLUMN opinion text NOT NULL DEFAULT 'agree',
    ADD COLUMN names jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN reason text,
    ADD COLUMN sheet text;

-- A cell that a village asks not to open. One that is asked for or granted at a time.
CREATE TABLE waiver (
    id uuid PRIMARY KEY,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    state text NOT NULL CHECK (state IN ('filed', 'granted', 'refused', 'ended')),
    reason text NOT NULL,
    decision text,
    filed_by text NOT NULL,
    filed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    ended_at timestamptz
);
CREATE UNIQUE INDEX waiver_live ON waiver (village_code, item, period) WHERE state IN ('filed', 'granted');
CREATE INDEX waiver_by_village ON waiver (village_code, id DESC);

-- The quarter's yes/no page, one row an edition.
CREATE TABLE declaration (
    village_code text NOT NULL,
    quarter text NOT NULL,
    edition integer NOT NULL,
    state text NOT NULL CHECK (state IN ('submitted', 'confirmed', 'returned')),
    answers jsonb NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    note text,
    PRIMARY KEY (village_code, quarter, edition)
);
CREATE TABLE declaration_confirmation (
    village_code text NOT NULL,
    quarter text NOT NULL,
    edition integer NOT NULL,
    actor_id text NOT NULL,
    confirmed_at timestamptz NOT NULL,
    PRIMARY KEY (village_code, quarter, edition, actor_id)
);

-- Approvals that wait for their undo time to pass; each item is carried out for itself.
CREATE TABLE approval (
    id uuid PRIMARY KEY,
    actor_id text NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    undone_at timestamptz
);
CREATE TABLE approval_item (
    approval_id uuid NOT NULL REFERENCES approval (id),
    disclosure_id uuid NOT NULL,
    edition integer NOT NULL,
    secrecy_checked_by text,
    state text NOT NULL CHECK (state IN ('waiting', 'approved', 'failed', 'undone')),
    problem text,
    PRIMARY KEY (approval_id, disclosure_id)
);
CREATE INDEX approval_item_waiting ON approval_item (approval_id) WHERE state = 'waiting';

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Files of many villages' disclosures that came in at once, and the drafts that each made.
CREATE TABLE import (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    imported_by text NOT NULL,
    scope text NOT NULL,
    imported_at timestamptz NOT NULL,
    undone_at timestamptz
);
CREATE INDEX import_by_person ON import (imported_by, id DESC);
CREATE TABLE import_draft (
    import_id uuid NOT NULL REFERENCES import (id),
    disclosure_id uuid NOT NULL,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    PRIMARY KEY (import_id, disclosure_id)
);

-- migrate:down

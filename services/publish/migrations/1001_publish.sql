-- migrate:up
SET lock_timeout = '5s';

-- The read model: one row per disclosure that villagers could ever read. After a withdrawal the figures are null and
-- the reason stays (the tombstone).
CREATE TABLE publication (
    disclosure_id text PRIMARY KEY,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    edition integer NOT NULL,
    digest text NOT NULL,
    history boolean NOT NULL,
    nil boolean NOT NULL,
    first_published_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    opening_fen bigint,
    income_fen bigint,
    expense_fen bigint,
    closing_fen bigint,
    line_count integer,
    withdrawn_at timestamptz,
    reason text
);
CREATE INDEX publication_by_village ON publication (village_code, published_at DESC, disclosure_id DESC);
CREATE INDEX publication_newest ON publication (published_at DESC, disclosure_id DESC);

-- Every edition with its content; all rows of a disclosure go when it is withdrawn.
CREATE TABLE edition (
    disclosure_id text NOT NULL,
    edition integer NOT NULL,
    published_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (disclosure_id, edition)
);

-- How far an edition under way has come; it tells who holds a cell that is not open yet.
CREATE TABLE step (
    disclosure_id text PRIMARY KEY,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    version bigint NOT NULL,
    submitted_at timestamptz,
    confirmed_at timestamptz
);
CREATE INDEX step_by_village ON step (village_code);

-- Everything that villagers could see change. The position is taken from a counter row, not from a sequence: its lock
-- makes the order of positions the order of commits, so that a reader behind a cursor never misses one.
CREATE TABLE change (
    position bigint PRIMARY KEY,
    disclosure_id text NOT NULL,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    edition integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('published', 'corrected', 'withdrawn')),
    changed_at timestamptz NOT NULL,
    UNIQUE (disclosure_id, edition, kind)
);
CREATE TABLE change_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);
INSERT INTO change_head (position) VALUES (0);

CREATE TABLE code (
    code text PRIMARY KEY,
    village_code text NOT NULL,
    purpose text NOT NULL,
    place text,
    serial integer NOT NULL,
    state text NOT NULL
);
CREATE INDEX code_by_village ON code (village_code, serial);

-- What this service has said, kept for ever: a repeated event is not announced twice, a rebuild announces nothing.
CREATE TABLE announced (
    disclosure_id text NOT NULL,
    edition integer NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (disclosure_id, edition, kind)
);

-- What has to be rendered again. Only ever appended to by those who change something and deleted by number by the one
-- who renders, so neither waits for the other.
CREATE TABLE dirty (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('disclosure', 'village', 'township', 'city', 'all')),
    key text NOT NULL,
    since timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Local days whose passed deadlines were already marked.
CREATE TABLE marked_day (
    day date PRIMARY KEY
);

-- migrate:down

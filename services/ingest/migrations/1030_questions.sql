-- migrate:up
SET lock_timeout = '5s';

-- What villagers asked, as publish said it, and what was answered here. Words rest sealed under keys that publish makes and
-- destroys; with them goes the reading.
CREATE TABLE question (
    id uuid PRIMARY KEY,
    ref text NOT NULL UNIQUE,
    village_code text NOT NULL,
    kind text NOT NULL,
    shows text NOT NULL,
    paper text,
    item text,
    period text,
    disclosure_id text,
    line integer,
    state text NOT NULL CHECK (state IN ('asked', 'township', 'answered', 'hidden')),
    holder text NOT NULL,
    due date NOT NULL,
    rounds integer NOT NULL DEFAULT 0,
    asked_at timestamptz NOT NULL,
    contact_sealed bytea
);
CREATE INDEX question_by_village ON question (village_code, id DESC);
CREATE INDEX question_open ON question (village_code, due, id) WHERE state IN ('asked', 'township');

CREATE TABLE question_word (
    question_id uuid NOT NULL REFERENCES question (id),
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('asked', 'handed_up', 'answer', 'unclear', 'hidden')),
    by_role text,
    at timestamptz NOT NULL,
    sealed bytea,
    reason text,
    PRIMARY KEY (question_id, number)
);

-- migrate:down

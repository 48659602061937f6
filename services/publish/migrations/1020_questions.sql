-- migrate:up
SET lock_timeout = '5s';

-- What villagers asked: owned here and never rebuilt. In clear stand ids, kinds and days; words rest sealed beside.
-- `form_id` is the form's own number, so that a button that was pressed twice asks once.
CREATE TABLE question (
    id uuid PRIMARY KEY,
    ref text NOT NULL UNIQUE,
    form_id text UNIQUE,
    village_code text NOT NULL,
    kind text NOT NULL,
    shows text NOT NULL,
    paper text,
    item text,
    period text,
    disclosure_id text,
    edition integer,
    line integer,
    state text NOT NULL CHECK (state IN ('asked', 'township', 'answered', 'hidden')),
    holder text NOT NULL CHECK (holder IN ('village', 'township')),
    due date NOT NULL,
    rounds integer NOT NULL DEFAULT 0,
    late_days integer NOT NULL DEFAULT 0,
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    closes_at timestamptz,
    hidden_at timestamptz,
    hidden_reason text,
    has_contact boolean NOT NULL,
    has_words boolean NOT NULL DEFAULT true
);
CREATE INDEX question_by_village ON question (village_code, id DESC);
CREATE INDEX question_open ON question (village_code, item, period) WHERE state IN ('asked', 'township');
CREATE INDEX question_by_disclosure ON question (disclosure_id, id DESC) WHERE disclosure_id IS NOT NULL;
CREATE INDEX question_contact ON question (closes_at) WHERE has_contact AND closes_at IS NOT NULL;
CREATE INDEX question_hidden ON question (hidden_at) WHERE state = 'hidden' AND has_words;

-- What was said of a question, in order: asked, answered, unclear … `sealed` is under the question's key.
CREATE TABLE question_word (
    question_id uuid NOT NULL REFERENCES question (id),
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('asked', 'handed_up', 'answer', 'unclear', 'hidden')),
    holder text,
    at timestamptz NOT NULL,
    due date,
    disclosure_id text,
    sealed bytea,
    PRIMARY KEY (question_id, number)
);

-- migrate:down

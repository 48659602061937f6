-- migrate:up
SET lock_timeout = '5s';

-- Spreadsheets that were read and wait for answers and a press, for a week: what was read and what was answered, sealed under
-- a key of their own that goes with them.
CREATE TABLE workbook (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    read_by text NOT NULL,
    scope text NOT NULL,
    read_at timestamptz NOT NULL,
    sealed bytea,
    answers_sealed bytea
);
ALTER TABLE workbook ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX workbook_by_person ON workbook (read_by, id DESC);
CREATE INDEX workbook_by_age ON workbook (read_at);

-- What an accounting agency's spreadsheets call their columns, said once and known to all its villages.
CREATE TABLE column_word (
    agency text NOT NULL,
    word text NOT NULL,
    role text NOT NULL,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    PRIMARY KEY (agency, word)
);

-- migrate:down

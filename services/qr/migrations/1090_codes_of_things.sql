-- migrate:up
SET lock_timeout = '5s';

-- `kind` is finer than `purpose`, which the code before this writes alone and readers of before understand.
ALTER TABLE code ADD COLUMN kind text CHECK (
    kind IN ('board', 'hall', 'gate', 'household', 'asset', 'project', 'contract', 'bulletin')
);
ALTER TABLE code ADD COLUMN item text;
ALTER TABLE code ADD COLUMN period text;
ALTER TABLE code ADD COLUMN subject text;
-- The code in whose place it will hang; that one counts until this one does.
ALTER TABLE code ADD COLUMN replaces text REFERENCES code;
CREATE UNIQUE INDEX code_replaces ON code (replaces) WHERE replaces IS NOT NULL AND state = 'valid';

-- Where a code hangs, as a clerk's telephone saw it last. The photograph is for staff; no public route reads it.
CREATE TABLE hanging (
    code text PRIMARY KEY REFERENCES code,
    hung_at timestamptz NOT NULL,
    hung_by text NOT NULL,
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    accuracy_m integer CHECK (accuracy_m >= 0),
    photograph bytea,
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);

-- Sums, and nothing else of whoever opened a code. `said` is what of the sum was told.
CREATE TABLE scan_count (
    day date NOT NULL,
    code text NOT NULL REFERENCES code,
    count integer NOT NULL CHECK (count >= 1),
    said integer NOT NULL DEFAULT 0,
    PRIMARY KEY (day, code)
);
CREATE INDEX scan_count_unsaid ON scan_count (day, code) WHERE said < count;
CREATE INDEX scan_count_by_code ON scan_count (code, day);

-- Whether a code is opened as it should be, as last said.
CREATE TABLE code_health (
    code text PRIMARY KEY REFERENCES code,
    state text NOT NULL CHECK (state IN ('silent', 'alive', 'still_hangs')),
    judged_at timestamptz NOT NULL
);

-- migrate:down

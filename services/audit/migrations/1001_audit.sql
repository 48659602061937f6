-- migrate:up
SET lock_timeout = '5s';

-- What events said, one row each, sums only; append-only. `seq` is the order of hearing.
CREATE TABLE fact (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    kind text NOT NULL,
    village text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    disclosure text NOT NULL,
    edition integer NOT NULL,
    version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL,
    data jsonb NOT NULL
);
CREATE INDEX fact_by_cell ON fact (village, item, period);

-- The last word of each rule on each subject; the id is the alert's, should there be one.
CREATE TABLE outcome (
    alert_id text PRIMARY KEY,
    rule text NOT NULL,
    village text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    account text,
    result text NOT NULL,
    reason text NOT NULL,
    judged_at timestamptz NOT NULL
);
CREATE INDEX outcome_by_period ON outcome (period, rule, village);

-- One row per rule and subject that was ever hit, as it stands now.
CREATE TABLE alert (
    alert_id text PRIMARY KEY,
    rule text NOT NULL,
    rule_version text NOT NULL,
    village text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    account text,
    level integer NOT NULL,
    state text NOT NULL,
    sentence text NOT NULL,
    episode integer NOT NULL,
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    evidence_hash text NOT NULL
);
CREATE INDEX alert_in_order ON alert (level DESC, raised_at DESC, alert_id DESC);
CREATE INDEX alert_by_village ON alert (village);

-- Raised, cleared, raised again: each time is an episode and stays.
CREATE TABLE episode (
    alert_id text NOT NULL,
    episode integer NOT NULL,
    raised_at timestamptz NOT NULL,
    raised_by text NOT NULL,
    cleared_at timestamptz,
    cleared_by text,
    PRIMARY KEY (alert_id, episode)
);

-- Evidence packs as canonical JSON; never changed, a new finding is a new row.
CREATE TABLE evidence (
    alert_id text NOT NULL,
    episode integer NOT NULL,
    hash text NOT NULL,
    made_at timestamptz NOT NULL,
    pack text NOT NULL,
    PRIMARY KEY (alert_id, episode, hash)
);

-- Deadlines that the clock watches; `again_at` is when to look next, null for never.
CREATE TABLE deadline (
    village text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    due_at timestamptz NOT NULL,
    again_at timestamptz,
    PRIMARY KEY (village, item, period)
);
CREATE INDEX deadline_next ON deadline (again_at) WHERE again_at IS NOT NULL;

-- What a replay found, beside the living alerts.
CREATE TABLE replay_alert (
    replay_id uuid NOT NULL,
    alert_id text NOT NULL,
    rule text NOT NULL,
    result text NOT NULL,
    level integer NOT NULL,
    evidence_hash text,
    PRIMARY KEY (replay_id, alert_id)
);

-- migrate:down

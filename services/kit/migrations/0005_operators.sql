-- migrate:up
SET lock_timeout = '5s';

-- The key that a record travels under, so that it can be said again exactly. Null in rows that older code wrote: there
-- it follows from the event itself.
ALTER TABLE event ADD COLUMN record_key text;

-- What operators decided about parked records: who, why, when. Kept for ever; the record's own id stays its id.
CREATE TABLE park_decision (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision text NOT NULL CHECK (decision IN ('replayed', 'discarded')),
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    type text NOT NULL,
    aggregate_key text NOT NULL,
    event_id text,
    error text NOT NULL,
    decided_by text NOT NULL,
    reason text NOT NULL,
    decided_at timestamptz NOT NULL
);
CREATE INDEX park_decision_place ON park_decision (topic, partition, record_offset);

-- Which Kafka log the offsets belong to: an offset means nothing in another one.
CREATE TABLE log_identity (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    cluster_id text NOT NULL
);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- The last version of each aggregate; updating the row takes the aggregate's lock.
CREATE TABLE aggregate (
    aggregate text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (aggregate, aggregate_id)
);

-- Every event this service ever said, kept for ever: the truth. Month partitions are made by ensure_event_partitions().
CREATE TABLE event (
    event_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    type text NOT NULL,
    aggregate text NOT NULL,
    aggregate_id text NOT NULL,
    aggregate_version bigint NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (occurred_at, event_id)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE INDEX event_by_aggregate ON event (aggregate, aggregate_id, aggregate_version);

CREATE FUNCTION ensure_event_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz;
    name text;
BEGIN
    FOR n IN 0..1 LOOP
        first := date_trunc('month', moment AT TIME ZONE 'UTC' + make_interval(months => n)) AT TIME ZONE 'UTC';
        name := 'event_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(name) IS NULL AND NOT EXISTS (
            SELECT FROM event_rest WHERE occurred_at >= first AND occurred_at < first + interval '1 month'
        ) THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
                           name, first, (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
        END IF;
    END LOOP;
END $$;

-- Rows that wait to be sent: a pointer to an event, or the raw bytes of a dead letter or a tombstone.
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    event_id uuid,
    occurred_at timestamptz NOT NULL,
    value bytea,
    headers jsonb NOT NULL DEFAULT '{}',
    error text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX outbox_parked ON outbox (topic, key, seq) WHERE error IS NOT NULL;

-- Where each consumer stands. The row's lock and value fence off zombies.
CREATE TABLE consumer_offset (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    epoch integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

-- The newest version seen of each foreign aggregate: a repeated or late record has no effect.
CREATE TABLE aggregate_seen (
    aggregate text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (aggregate, aggregate_id)
);

-- Records that could not be handled, and those of the same aggregate behind them.
CREATE TABLE parked_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key bytea,
    value bytea,
    headers jsonb NOT NULL,
    type text NOT NULL,
    aggregate_key text NOT NULL,
    error text NOT NULL,
    unknown_type boolean NOT NULL,
    parked_at timestamptz NOT NULL,
    UNIQUE (topic, partition, record_offset)
);
CREATE INDEX parked_by_aggregate ON parked_event (aggregate_key, id);

-- This service's copy of the compacted topics, whole state per key.
CREATE TABLE reference (
    kind text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, key)
);
CREATE INDEX reference_changed ON reference (changed_at);

-- Keys of sealed content; null once shredded.
CREATE TABLE shred_key (
    aggregate_id text PRIMARY KEY,
    key text
);

-- What was answered to a request with an Idempotency-Key, kept 48 h.
CREATE TABLE idempotency (
    actor text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_digest text NOT NULL,
    status integer,
    response text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (actor, route, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- migrate:down

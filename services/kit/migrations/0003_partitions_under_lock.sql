-- migrate:up
SET lock_timeout = '5s';

-- As before, but the default partition is locked before it is looked into: an event that lands there between the look
-- and the creation would make the creation fail.
CREATE OR REPLACE FUNCTION ensure_event_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz;
    name text;
BEGIN
    FOR n IN 0..1 LOOP
        first := date_trunc('month', moment AT TIME ZONE 'UTC' + make_interval(months => n)) AT TIME ZONE 'UTC';
        name := 'event_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        LOCK TABLE event IN ACCESS EXCLUSIVE MODE;
        IF to_regclass(name) IS NULL AND NOT EXISTS (
            SELECT FROM event_rest WHERE occurred_at >= first AND occurred_at < first + interval '1 month'
        ) THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
                           name, first, (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
        END IF;
    END LOOP;
END $$;

-- migrate:down

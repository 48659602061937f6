-- migrate:up
SET lock_timeout = '5s';

-- The trail stands in a schema of its own, which the service cannot change: `deploy/postgres/trail.sql` moved it there at this
-- start, or made it. What the migrations before this one made in a new city is empty and goes.
DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    IF to_regproc('hold_chain') IS NULL THEN
        RAISE EXCEPTION 'deploy/postgres/roles.sql must be run before this migration: it makes the schema of the trail';
    END IF;
    FOREACH name IN ARRAY ARRAY['action', 'action_chain'] LOOP
        IF to_regclass(format('%I.%I', current_schema(), name)) IS NOT NULL THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I %s)', current_schema(), name,
                CASE name WHEN 'action_chain' THEN 'WHERE head_position > 0' ELSE '' END) INTO filled;
            IF filled THEN
                RAISE EXCEPTION '%.% holds a trail: run deploy/postgres/roles.sql, which moves it', current_schema(), name;
            END IF;
            EXECUTE format('DROP TABLE %I.%I', current_schema(), name);
        END IF;
    END LOOP;
END
$$;

-- migrate:down

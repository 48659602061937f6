-- migrate:up
SET lock_timeout = '5s';

-- What a kept answer speaks of: whatever is called `id` anywhere in it. When such a thing has to go, its answers are found
-- by the index, not by reading all that was answered in two days.
CREATE FUNCTION ids_in(answer text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT id #>> '{}') FROM jsonb_path_query(answer::jsonb, '$.**.id ? (@.type() == "string")') AS id
$$;
CREATE INDEX idempotency_about ON idempotency USING gin (ids_in(response)) WITH (fastupdate = off);

-- migrate:down

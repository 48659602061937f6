-- The trail of what members of staff did: in a schema of its own beside each service's, owned by a role that nobody signs in
-- as. A service may add rows and read them. That a row gets its place and its link, and that an old one goes, is done by the
-- functions below, in order and by the time alone: who has the service's password, or the service itself, cannot change,
-- remove or reorder a row that is chained. `services/kit/actions.py` computes every link anew and says what a link is.
--
-- Included by roles.sql at every start; idempotent.

SELECT 'CREATE ROLE trail' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trail')
\gexec
ALTER ROLE trail NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;

-- Before, the service itself owned its trail: it is moved as it stands, with every position and link.
DO $$
DECLARE
    service text;
    own text;
    name text;
BEGIN
    FOREACH service IN ARRAY ARRAY['registry', 'ingest', 'publish', 'audit', 'qr'] LOOP
        own := service || '_trail';
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION trail', own);
        FOREACH name IN ARRAY ARRAY['action', 'action_chain'] LOOP
            IF to_regclass(format('%I.%I', service, name)) IS NOT NULL
                -- Else a start ended between two migrations, and nothing stands in it.
                AND to_regclass(format('%I.%I', own, name)) IS NULL
            THEN
                EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', service, name, own);
                EXECUTE format('ALTER TABLE %I.%I OWNER TO trail', own, name);
            END IF;
        END LOOP;
    END LOOP;
END
$$;

SET ROLE trail;
DO $$
DECLARE
    service text;
    own text;
BEGIN
    FOREACH service IN ARRAY ARRAY['registry', 'ingest', 'publish', 'audit', 'qr'] LOOP
        own := service || '_trail';
        PERFORM set_config('search_path', quote_ident(own), true);

        -- No personal data, no bodies. `refused`: the code of the answer, when it was none of success; `times`: of how many
        -- more the row tells. `position` and `link` come later, from one leader: so nobody waits for a lock while acting.
        CREATE TABLE IF NOT EXISTS action (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            happened_at timestamptz NOT NULL,
            actor_id text,
            actor_role text,
            actor_scope text,
            action text NOT NULL,
            object text,
            village_code text,
            request_id text NOT NULL,
            position bigint UNIQUE,
            link bytea,
            CHECK ((position IS NULL) = (link IS NULL))
        );
        ALTER TABLE action ADD COLUMN IF NOT EXISTS address text;
        ALTER TABLE action ADD COLUMN IF NOT EXISTS refused text;
        ALTER TABLE action ADD COLUMN IF NOT EXISTS times integer;
        CREATE INDEX IF NOT EXISTS action_pending ON action (id) WHERE position IS NULL;
        CREATE INDEX IF NOT EXISTS action_by_actor ON action (actor_id, id);
        CREATE INDEX IF NOT EXISTS action_by_object ON action (object, id);
        -- Inspectors see their part of the tree: an action counts for its village, else for the part of whoever acted.
        CREATE INDEX IF NOT EXISTS action_by_scope ON action ((coalesce(village_code, actor_scope)), id);

        -- Where the chain begins (the last row that was removed for its age) and where it ends.
        CREATE TABLE IF NOT EXISTS action_chain (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            anchor_position bigint NOT NULL,
            anchor_link bytea NOT NULL,
            head_position bigint NOT NULL,
            head_link bytea NOT NULL
        );
        INSERT INTO action_chain (anchor_position, anchor_link, head_position, head_link)
        VALUES (0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'))
        ON CONFLICT DO NOTHING;

        EXECUTE format($make$
            CREATE OR REPLACE FUNCTION link_of(before bytea, place bigint, a action) RETURNS bytea
            LANGUAGE sql STABLE SET search_path = pg_catalog, %1$I, pg_temp
            RETURN sha256(before || convert_to(
                '[' || place || ',' || a.id || ',"' || to_char(a.happened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
                || CASE to_char(a.happened_at, 'US') WHEN '000000' THEN '' ELSE to_char(a.happened_at, '.US') END
                || '+00:00",'
                || coalesce(to_json(a.actor_id)::text, 'null') || ',' || coalesce(to_json(a.actor_role)::text, 'null') || ','
                || coalesce(to_json(a.actor_scope)::text, 'null') || ',' || to_json(a.action)::text || ','
                || coalesce(to_json(a.object)::text, 'null') || ',' || coalesce(to_json(a.village_code)::text, 'null') || ','
                || to_json(a.request_id)::text
                -- Rows of before these were kept have nothing here.
                || CASE WHEN num_nonnulls(a.address, a.refused, a.times) = 0 THEN '' ELSE
                    ',' || coalesce(to_json(a.address)::text, 'null') || ',' || coalesce(to_json(a.refused)::text, 'null')
                    || ',' || coalesce(a.times::text, 'null') END
                || ']', 'UTF8'))
        $make$, own);

        -- Both ends, held until the transaction ends: linking, pruning and checking go one after the other.
        EXECUTE format($make$
            CREATE OR REPLACE FUNCTION hold_chain() RETURNS SETOF action_chain
            LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp
            AS $body$ SELECT * FROM action_chain FOR UPDATE $body$
        $make$, own);

        -- Chain up to `most` rows that were committed since, in their order; returns how many.
        EXECUTE format($make$
            CREATE OR REPLACE FUNCTION link_actions(most integer) RETURNS integer
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp
            AS $body$
            DECLARE
                chain action_chain;
                a action;
                linked integer := 0;
            BEGIN
                SELECT * INTO STRICT chain FROM hold_chain();
                FOR a IN SELECT * FROM action WHERE position IS NULL ORDER BY id LIMIT most LOOP
                    chain.head_position := chain.head_position + 1;
                    chain.head_link := link_of(chain.head_link, chain.head_position, a);
                    UPDATE action SET position = chain.head_position, link = chain.head_link WHERE id = a.id;
                    linked := linked + 1;
                END LOOP;
                UPDATE action_chain SET head_position = chain.head_position, head_link = chain.head_link WHERE linked > 0;
                RETURN linked;
            END
            $body$
        $make$, own);

        -- Remove up to `most` rows from the chain's beginning, as far as every row is older than `before` and half a year,
        -- and keep the last one's link; one younger row keeps all behind it, a broken link all there are. Returns the anchor.
        EXECUTE format($make$
            CREATE OR REPLACE FUNCTION prune_actions(before timestamptz, most integer) RETURNS bigint
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp
            AS $body$
            DECLARE
                chain action_chain;
                a action;
                moment timestamptz := least(before, now() - interval '184 days');
                place bigint;
                last bytea;
            BEGIN
                SELECT * INTO STRICT chain FROM hold_chain();
                place := chain.anchor_position;
                last := chain.anchor_link;
                FOR a IN SELECT * FROM action WHERE position > chain.anchor_position ORDER BY position LIMIT most LOOP
                    EXIT WHEN a.happened_at >= moment;
                    IF a.position <> place + 1 OR a.link <> link_of(last, place + 1, a) THEN
                        RETURN chain.anchor_position;
                    END IF;
                    place := a.position;
                    last := a.link;
                END LOOP;
                UPDATE action_chain SET anchor_position = place, anchor_link = last WHERE place > chain.anchor_position;
                DELETE FROM action WHERE position <= place;
                RETURN place;
            END
            $body$
        $make$, own);

        REVOKE ALL ON FUNCTION link_of, hold_chain, link_actions, prune_actions FROM PUBLIC;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', own, service);
        EXECUTE format('GRANT SELECT ON action, action_chain TO %I', service);
        EXECUTE format('GRANT INSERT (happened_at, actor_id, actor_role, actor_scope, action, object, village_code, request_id,'
            ' address, refused, times) ON action TO %I', service);
        EXECUTE format('GRANT EXECUTE ON FUNCTION hold_chain, link_actions, prune_actions TO %I', service);
    END LOOP;
END
$$;
RESET ROLE;

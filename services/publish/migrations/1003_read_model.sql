-- migrate:up
SET lock_timeout = '5s';

-- The read model stands in a schema of its own, which a rebuild replaces by renaming (docs/adr/0010). What publish owns
-- (what it said, the order of changes, questions, its log) stays in `publish`. Both are on the role's search path, so
-- statements name neither. Moving a table takes no copy and keeps its rows, indexes and names.
CREATE SCHEMA IF NOT EXISTS publish_read;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['publication', 'edition', 'step', 'code'] LOOP
        IF to_regclass('publish.' || name) IS NOT NULL THEN
            EXECUTE format('ALTER TABLE publish.%I SET SCHEMA publish_read', name);
        END IF;
    END LOOP;
END $$;

CREATE SEQUENCE read_model_number;

-- An empty copy of the read model's tables: same columns, same constraints, same names of indexes.
CREATE FUNCTION read_model_make(target text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    it record;
    part record;
BEGIN
    EXECUTE format('CREATE SCHEMA %I', target);
    FOR it IN SELECT c.oid, c.relname FROM pg_class c
              WHERE c.relnamespace = 'publish_read'::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
        EXECUTE format('CREATE TABLE %I.%I (LIKE publish_read.%I INCLUDING ALL EXCLUDING INDEXES)',
                       target, it.relname, it.relname);
        FOR part IN SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
                    WHERE conrelid = it.oid AND contype IN ('p', 'u') LOOP
            EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s',
                           target, it.relname, part.conname, part.definition);
        END LOOP;
        FOR part IN SELECT pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
                    WHERE i.indrelid = it.oid
                      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) LOOP
            EXECUTE replace(part.definition, ' ON publish_read.', format(' ON %I.', target));
        END LOOP;
    END LOOP;
END $$;

-- Rows and a digest by table and village; the same whatever the order in which rows were written. Columns that only
-- number rows do not count.
CREATE FUNCTION read_model_digest(source text)
RETURNS TABLE (village text, kind text, rows bigint, digest text) LANGUAGE plpgsql AS $$
DECLARE
    it record;
    place text;
    told text;
BEGIN
    PERFORM set_config('TimeZone', 'UTC', true);
    FOR it IN SELECT c.oid, c.relname FROM pg_class c
              WHERE c.relnamespace = source::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
        SELECT string_agg(format('coalesce(t.%I::text, chr(30))', attname), ', chr(31), ' ORDER BY attname COLLATE "C")
        INTO told FROM pg_attribute
        WHERE attrelid = it.oid AND attnum > 0 AND NOT attisdropped AND attidentity = '';
        place := CASE
            WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = it.oid AND attname = 'village_code')
            THEN 't.village_code'
            WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = it.oid AND attname = 'disclosure_id')
            THEN format('(SELECT p.village_code FROM %I.publication p WHERE p.disclosure_id = t.disclosure_id)', source)
            ELSE '''''' END;
        RETURN QUERY EXECUTE format(
            'SELECT coalesce(v, ''''), %L, count(*), encode(sha256(convert_to(string_agg(h, '''' ORDER BY h COLLATE "C"),'
            || ' ''UTF8'')), ''hex'') FROM (SELECT %s AS v, encode(sha256(convert_to(concat(%s), ''UTF8'')), ''hex'') AS h'
            || ' FROM %I.%I t) s GROUP BY 1', it.relname, place, told, source, it.relname);
    END LOOP;
END $$;

-- The switch: two names change places, in the caller's transaction.
CREATE FUNCTION read_model_switch(target text, kept text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER SCHEMA publish_read RENAME TO %I', kept);
    EXECUTE format('ALTER SCHEMA %I RENAME TO publish_read', target);
END $$;

-- Drop schemas of a kind: `publish_read_` (begun, never switched) or `publish_old_` (served before).
CREATE FUNCTION read_model_drop(prefix text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    name text;
    dropped integer := 0;
BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname ~ ('^' || prefix || '[0-9]+$') LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

-- What is withdrawn goes out of the models that are kept beside the serving one as well.
CREATE FUNCTION read_model_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT n.nspname, c.relname, a.attname
              FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('disclosure_id', 'waiver_id', 'question_id')
              WHERE n.nspname ~ '^publish_(old|read)_[0-9]+$' LOOP
        EXECUTE format('DELETE FROM %I.%I WHERE %I = $1', it.nspname, it.relname, it.attname) USING NEW.aggregate_id;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER read_model_forgets AFTER INSERT OR UPDATE ON shred_key
FOR EACH ROW WHEN (NEW.key IS NULL) EXECUTE FUNCTION read_model_forget();

-- migrate:down

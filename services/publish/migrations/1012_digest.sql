-- migrate:up
SET lock_timeout = '5s';

-- As before, but bytes are digested as they are: written out as text a sealed content is twice as long, and two models were
-- compared in twice the time.
CREATE OR REPLACE FUNCTION read_model_digest(source text)
RETURNS TABLE (village text, kind text, rows bigint, digest text) LANGUAGE plpgsql AS $$
DECLARE
    it record;
    place text;
    told text;
BEGIN
    PERFORM set_config('TimeZone', 'UTC', true);
    FOR it IN SELECT c.oid, c.relname FROM pg_class c
              WHERE c.relnamespace = source::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
        SELECT string_agg(
            format(CASE WHEN atttypid = 'bytea'::regtype THEN 'coalesce(encode(sha256(t.%I), ''hex''), chr(30))'
                        ELSE 'coalesce(t.%I::text, chr(30))' END, attname), ', chr(31), ' ORDER BY attname COLLATE "C")
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

-- migrate:down

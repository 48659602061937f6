-- migrate:up
SET lock_timeout = '5s';

-- Which days of an item need nothing more in a village, in one row however many years it has been: the periods of the
-- item's frequency that are public or waived, as stretches of days. Of on-event items also the days that a confirmed
-- quarter's page named (`declared`) and the quarters for which it said that nothing happened (`nothing`).
-- What is owed and not settled is the to-do: it can be told without reading what was done.
CREATE TABLE settled (
    village_code text NOT NULL,
    item text NOT NULL,
    frequency text NOT NULL,
    days datemultirange NOT NULL DEFAULT '{}',
    declared datemultirange NOT NULL DEFAULT '{}',
    nothing datemultirange NOT NULL DEFAULT '{}',
    PRIMARY KEY (village_code, item, frequency)
);
CREATE INDEX settled_not ON settled (village_code) WHERE NOT isempty(declared - days);

-- The names of frequencies and the grammar of periods are those of contracts/values.py.
CREATE FUNCTION frequency_of(period text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length(period) = 10 THEN 'on_event' WHEN length(period) = 4 THEN 'yearly'
        WHEN substr(period, 5, 1) = 'Q' THEN 'quarterly' WHEN substr(period, 5, 1) = 'H' THEN 'half_year' ELSE 'monthly' END
$$;
CREATE FUNCTION day_of(year text, month integer, day text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT make_date(year::int + (month - 1) / 12, (month - 1) % 12 + 1, day::int)
$$;
CREATE FUNCTION days_of(period text) RETURNS daterange LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE frequency_of(period)
        WHEN 'on_event' THEN daterange(
            day_of(substr(period, 1, 4), substr(period, 6, 2)::int, substr(period, 9)),
            day_of(substr(period, 1, 4), substr(period, 6, 2)::int, substr(period, 9)), '[]')
        WHEN 'yearly' THEN daterange(day_of(period, 1, '1'), day_of(period, 13, '1'))
        WHEN 'quarterly' THEN daterange(
            day_of(substr(period, 1, 4), substr(period, 6)::int * 3 - 2, '1'),
            day_of(substr(period, 1, 4), substr(period, 6)::int * 3 + 1, '1'))
        WHEN 'half_year' THEN daterange(
            day_of(substr(period, 1, 4), substr(period, 6)::int * 6 - 5, '1'),
            day_of(substr(period, 1, 4), substr(period, 6)::int * 6 + 1, '1'))
        ELSE daterange(
            day_of(substr(period, 1, 4), substr(period, 6)::int, '1'),
            day_of(substr(period, 1, 4), substr(period, 6)::int + 1, '1'))
    END
$$;

-- The tables keep it themselves, in the transaction of whatever changes them: no writer can forget it.
CREATE FUNCTION settle(village text, of_item text, of_period text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- The row first: who comes second looks after the first has committed.
    INSERT INTO settled (village_code, item, frequency) VALUES (village, of_item, frequency_of(of_period))
    ON CONFLICT (village_code, item, frequency) DO UPDATE SET item = excluded.item;
    UPDATE settled SET days = CASE
        WHEN EXISTS (
            SELECT FROM disclosure d WHERE (d.village_code, d.item, d.period) = (village, of_item, of_period)
              AND d.state <> 'withdrawn' AND d.published_at IS NOT NULL
        ) OR EXISTS (
            SELECT FROM waiver w WHERE (w.village_code, w.item, w.period) = (village, of_item, of_period)
              AND w.state = 'granted'
        ) THEN days + days_of(of_period)::datemultirange ELSE days - days_of(of_period)::datemultirange END
    WHERE (village_code, item, frequency) = (village, of_item, frequency_of(of_period));
END $$;

CREATE FUNCTION settle_cell() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM settle(coalesce(NEW.village_code, OLD.village_code), coalesce(NEW.item, OLD.item), coalesce(NEW.period, OLD.period));
    RETURN NULL;
END $$;
CREATE TRIGGER disclosure_settles_at_once AFTER INSERT ON disclosure FOR EACH ROW
    WHEN (NEW.published_at IS NOT NULL AND NEW.state <> 'withdrawn') EXECUTE FUNCTION settle_cell();
CREATE TRIGGER disclosure_settles AFTER UPDATE OF state, published_at ON disclosure FOR EACH ROW
    WHEN ((OLD.published_at IS NOT NULL AND OLD.state <> 'withdrawn')
        IS DISTINCT FROM (NEW.published_at IS NOT NULL AND NEW.state <> 'withdrawn')) EXECUTE FUNCTION settle_cell();
CREATE TRIGGER disclosure_unsettles AFTER DELETE ON disclosure FOR EACH ROW
    WHEN (OLD.published_at IS NOT NULL AND OLD.state <> 'withdrawn') EXECUTE FUNCTION settle_cell();
CREATE TRIGGER waiver_settles_at_once AFTER INSERT ON waiver FOR EACH ROW
    WHEN (NEW.state = 'granted') EXECUTE FUNCTION settle_cell();
CREATE TRIGGER waiver_settles AFTER UPDATE OF state ON waiver FOR EACH ROW
    WHEN ((OLD.state = 'granted') IS DISTINCT FROM (NEW.state = 'granted')) EXECUTE FUNCTION settle_cell();
CREATE TRIGGER waiver_unsettles AFTER DELETE ON waiver FOR EACH ROW
    WHEN (OLD.state = 'granted') EXECUTE FUNCTION settle_cell();

-- A quarter's newest confirmed answers take the place of those before.
CREATE FUNCTION settle_quarter() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    span datemultirange := days_of(NEW.quarter)::datemultirange;
BEGIN
    UPDATE settled SET declared = declared - span, nothing = nothing - span
    WHERE village_code = NEW.village_code AND frequency = 'on_event';
    INSERT INTO settled (village_code, item, frequency, declared, nothing)
    SELECT NEW.village_code, a ->> 'item', 'on_event',
        coalesce((SELECT range_agg(days_of(day)) FROM jsonb_array_elements_text(a -> 'days') AS day), '{}'),
        CASE WHEN jsonb_array_length(a -> 'days') = 0 THEN span ELSE '{}' END
    FROM jsonb_array_elements(NEW.answers) AS a ORDER BY 2
    ON CONFLICT (village_code, item, frequency) DO UPDATE
    SET declared = settled.declared + excluded.declared, nothing = settled.nothing + excluded.nothing;
    RETURN NULL;
END $$;
CREATE TRIGGER declaration_settles AFTER INSERT OR UPDATE OF state, answers ON declaration FOR EACH ROW
    WHEN (NEW.state = 'confirmed') EXECUTE FUNCTION settle_quarter();

CREATE FUNCTION unsettle_all() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM settled;
    RETURN NULL;
END $$;
CREATE TRIGGER disclosure_unsettles_all AFTER TRUNCATE ON disclosure EXECUTE FUNCTION unsettle_all();

-- What stands so far.
INSERT INTO settled (village_code, item, frequency, days)
SELECT village_code, item, frequency_of(period), range_agg(days_of(period)) FROM (
    SELECT village_code, item, period FROM disclosure WHERE published_at IS NOT NULL AND state <> 'withdrawn'
    UNION ALL SELECT village_code, item, period FROM waiver WHERE state = 'granted'
) AS cell GROUP BY 1, 2, 3;
INSERT INTO settled (village_code, item, frequency, declared, nothing)
SELECT village_code, item, 'on_event', coalesce(range_agg(days_of(day)) FILTER (WHERE day IS NOT NULL), '{}'),
    coalesce(range_agg(days_of(quarter)) FILTER (WHERE day IS NULL), '{}')
FROM (
    SELECT DISTINCT ON (village_code, quarter) village_code, quarter, answers FROM declaration WHERE state = 'confirmed'
    ORDER BY village_code, quarter, edition DESC
) AS newest
CROSS JOIN LATERAL jsonb_array_elements(answers) AS a
CROSS JOIN LATERAL (SELECT a ->> 'item' AS item) AS named
LEFT JOIN LATERAL jsonb_array_elements_text(a -> 'days') AS day ON true
GROUP BY village_code, item
ON CONFLICT (village_code, item, frequency) DO UPDATE
SET declared = excluded.declared, nothing = excluded.nothing;

-- migrate:down

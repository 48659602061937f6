-- migrate:up
SET lock_timeout = '5s';

-- What can be searched of what is open (docs/adr/0032): words, amounts and firms as keyed marks, and nothing of persons. A
-- job makes it of sealed contents; it is publish's own and no part of the read model, so a rebuild leaves it as it is.
CREATE TABLE searchable (
    disclosure_id text PRIMARY KEY,
    edition integer NOT NULL,
    made_by bigint NOT NULL,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    until date NOT NULL,
    marks integer[] NOT NULL,
    amounts bigint[] NOT NULL
);
ALTER TABLE searchable ALTER COLUMN marks SET STORAGE EXTERNAL;
CREATE INDEX searchable_newest ON searchable (until DESC, disclosure_id DESC);
CREATE INDEX searchable_by_village ON searchable (village_code, until DESC, disclosure_id DESC);
-- Rows that wait outside the tree are looked through by every search: few, so that it stays fast while much is let out.
CREATE INDEX searchable_marks ON searchable USING gin (marks) WITH (gin_pending_list_limit = 256);

-- What a ledger paid to a firm, so that the years of a firm are summed up without opening contents.
CREATE TABLE firm_payment (
    disclosure_id text NOT NULL,
    firm bigint NOT NULL,
    village_code text NOT NULL,
    item text NOT NULL,
    period text NOT NULL,
    until date NOT NULL,
    fen bigint NOT NULL,
    lines integer NOT NULL,
    PRIMARY KEY (disclosure_id, firm)
);
CREATE INDEX firm_payment_by_firm ON firm_payment (firm, until DESC, disclosure_id DESC)
    INCLUDE (village_code, item, period, fen, lines);

-- What is open and not in it yet.
CREATE TABLE unsearchable (disclosure_id text PRIMARY KEY);
INSERT INTO unsearchable SELECT disclosure_id FROM publish_read.publication WHERE withdrawn_at IS NULL;

-- With the key goes what was made of the content.
CREATE FUNCTION searchable_forget() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM searchable WHERE disclosure_id = NEW.aggregate_id;
    DELETE FROM firm_payment WHERE disclosure_id = NEW.aggregate_id;
    DELETE FROM unsearchable WHERE disclosure_id = NEW.aggregate_id;
    RETURN NULL;
END $$;
CREATE TRIGGER searchable_forgets AFTER INSERT OR UPDATE ON shred_key
FOR EACH ROW WHEN (NEW.key IS NULL) EXECUTE FUNCTION searchable_forget();

-- Disclosures that have all of some marks and one of others, newest period first, from a place on. A function for one reason:
-- it is planned anew for each question. Words of every ledger and words of none want different plans, and a prepared statement
-- soon has one plan for all of them. What was closed or corrected a moment ago has the edition 0, which none has.
CREATE FUNCTION searchable_find(
    all_of integer[], any_of integer[], first_village text, last_village text, first_day date, last_day date,
    periods text[], items text[], least_fen bigint, most_fen bigint, from_day date, from_id text, many integer
) RETURNS TABLE (disclosure_id text, edition integer, village_code text, item text, period text, until date)
LANGUAGE plpgsql STABLE SET plan_cache_mode = 'force_custom_plan' AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.disclosure_id, CASE WHEN p.edition = f.edition THEN f.edition ELSE 0 END, f.village_code, f.item, f.period, f.until
    FROM (
        SELECT s.* FROM searchable s
        WHERE s.marks @> all_of AND (any_of IS NULL OR s.marks && any_of)
          AND s.village_code BETWEEN first_village AND last_village AND s.until BETWEEN first_day AND last_day
          AND s.period LIKE ANY (periods) AND s.item = ANY (items) AND (s.until, s.disclosure_id) <= (from_day, from_id)
          AND (least_fen IS NULL OR EXISTS (SELECT FROM unnest(s.amounts) AS fen WHERE abs(fen) BETWEEN least_fen AND most_fen))
        ORDER BY s.until DESC, s.disclosure_id DESC LIMIT many
    ) f LEFT JOIN publication p ON p.disclosure_id = f.disclosure_id AND p.withdrawn_at IS NULL
    ORDER BY f.until DESC, f.disclosure_id DESC;
END $$;

-- migrate:down

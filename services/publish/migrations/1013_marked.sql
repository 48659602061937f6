-- migrate:up
SET lock_timeout = '5s';

-- Whoever renders is told at once, in whatever process.
CREATE FUNCTION tell_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('publish marked', '');
    RETURN NULL;
END $$;
CREATE TRIGGER dirty_told AFTER INSERT ON dirty FOR EACH STATEMENT EXECUTE FUNCTION tell_marked();

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Who brought a signed sheet: whose account it was, and how that person is called beside the photograph. Sheets of
-- before name their bearer as the actor.
ALTER TABLE confirmation
    ADD COLUMN brought_by text,
    ADD COLUMN bearer text;
UPDATE confirmation SET brought_by = actor_id WHERE sheet IS NOT NULL;

-- Whether a disclosure waits in a batch is asked for every row of the reviewer's list.
CREATE INDEX approval_item_of ON approval_item (disclosure_id) WHERE state = 'waiting';

-- migrate:down

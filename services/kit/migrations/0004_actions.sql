-- migrate:up
SET lock_timeout = '5s';

-- What members of staff did, one row an action, written in the action's own transaction. No personal data, no bodies.
-- `position` and `link` come later, from one leader: so nobody waits for a lock while acting.
CREATE TABLE action (
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
CREATE INDEX action_pending ON action (id) WHERE position IS NULL;
CREATE INDEX action_by_actor ON action (actor_id, id);
CREATE INDEX action_by_object ON action (object, id);

-- Where the chain begins (the last row that was removed for its age) and where it ends.
CREATE TABLE action_chain (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    anchor_position bigint NOT NULL,
    anchor_link bytea NOT NULL,
    head_position bigint NOT NULL,
    head_link bytea NOT NULL
);
INSERT INTO action_chain (anchor_position, anchor_link, head_position, head_link)
VALUES (0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'));

-- migrate:down

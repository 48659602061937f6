-- migrate:up
SET lock_timeout = '5s';

-- How often others joined a question (联名), and what came of it. `join_key` makes the marks of who joined; with it they fade.
ALTER TABLE question ADD COLUMN joined integer NOT NULL DEFAULT 0;
ALTER TABLE question ADD COLUMN joint_at timestamptz;
ALTER TABLE question ADD COLUMN joint_then text CHECK (joint_then IN ('township', 'everybody'));
ALTER TABLE question ADD COLUMN joint_due date;
ALTER TABLE question ADD COLUMN join_key bytea;
ALTER TABLE question ADD COLUMN join_key_since timestamptz;
CREATE INDEX question_join_key ON question (join_key_since) WHERE join_key_since IS NOT NULL;

-- That somebody joined, as keyed marks of the browser and of the address: enough to count nobody twice for a month, and
-- nothing that tells who it was.
CREATE TABLE question_join (
    question_id uuid NOT NULL REFERENCES question (id),
    browser bytea NOT NULL,
    address bytea NOT NULL,
    PRIMARY KEY (question_id, browser)
);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- The notice of a tender whose result a contract or a project is: pages of both lead to each other. An id, nobody's name.
ALTER TABLE publish_read.publication ADD COLUMN follows text;
CREATE INDEX publication_following ON publish_read.publication (follows) WHERE follows IS NOT NULL;

-- migrate:down

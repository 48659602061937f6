-- migrate:up
SET lock_timeout = '5s';

-- Bodies kept before they could have attachments, as they would be written now: a rebuild comes to the same rows.
UPDATE publish_read.edition SET body = body || '{"attachments": []}' WHERE NOT body ? 'attachments';

-- migrate:down

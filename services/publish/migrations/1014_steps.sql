-- migrate:up
SET lock_timeout = '5s';

-- Who had a disclosure before it was let out was kept for ever, and every page of its village looked through all of it.
DELETE FROM publish_read.step s USING publish_read.publication p
WHERE p.disclosure_id = s.disclosure_id AND p.withdrawn_at IS NULL
  AND s.submitted_at IS NOT NULL AND s.submitted_at <= p.published_at;

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Drafts that were given up left word that they name their files, which stayed for ever. A file that nobody names goes after
-- its week.
DELETE FROM attachment_use u WHERE NOT EXISTS (SELECT FROM disclosure d WHERE d.id = u.disclosure_id);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Why an edition was sent back, as often as it was: it stays with the edition until the disclosure is published, so that
-- whoever checks the next one can see what was asked. Content, so it goes with a withdrawal.
ALTER TABLE edition ADD COLUMN returns jsonb NOT NULL DEFAULT '[]';
UPDATE edition e
SET returns = jsonb_build_array(jsonb_build_object('reason', d.note, 'lines', d.note_lines, 'by', NULL, 'at', NULL))
FROM disclosure d
WHERE d.id = e.disclosure_id AND d.edition = e.edition AND d.state = 'returned' AND d.note IS NOT NULL;

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Cells by name: a month's grid, the ledgers beside one, a village's item in the order of its periods.
CREATE INDEX disclosure_by_cell ON disclosure (village_code, item, period, id);
-- A whole city's newest of one item.
CREATE INDEX disclosure_by_item ON disclosure (item, id);
-- What villages let out themselves and nobody took note of yet.
CREATE INDEX disclosure_to_file ON disclosure (village_code, id) WHERE release = 'file' AND filed_at IS NULL;
-- Quarters' pages that wait for a word.
CREATE INDEX declaration_submitted ON declaration (village_code) WHERE state = 'submitted';
CREATE INDEX waiver_filed ON waiver (village_code) WHERE state = 'filed';

-- migrate:down

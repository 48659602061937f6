-- migrate:up
SET lock_timeout = '5s';

-- Rules on lines, rosters, contracts and decisions need more of a body than was kept: every approved edition is heard once more
-- from the beginning of its topic, and what was not kept is added to its fact. Facts keep their order; what cannot be read any
-- more stays as it was.
DELETE FROM aggregate_seen WHERE aggregate = 'disclosure';
UPDATE consumer_offset SET next_offset = 0 WHERE topic LIKE '%sanwu.disclosures';

-- migrate:down

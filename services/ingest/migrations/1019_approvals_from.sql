-- migrate:up
SET lock_timeout = '5s';

-- Where the request for a batch came from: the trail says it of each approval that is carried out later.
ALTER TABLE approval ADD COLUMN address text;

-- migrate:down

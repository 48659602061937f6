-- migrate:up
SET lock_timeout = '5s';

-- What all villages opened for a period, newest first: whoever compares asks for one period of a city, however old it is.
CREATE INDEX publication_by_period ON publish_read.publication (period, published_at DESC, disclosure_id DESC);

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- Records that said to be the registry's and were not signed by its root key. They had no effect; a row stands until an
-- operator has looked into it, or until the registry says the same again, signed.
CREATE TABLE refused_record (
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    digest bytea NOT NULL,
    fault text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition, record_offset)
);

-- migrate:down

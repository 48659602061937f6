-- migrate:up
SET lock_timeout = '5s';

-- What somebody has handed in on a day in Shanghai, refused files too; all processes count in it. Rows go after a week.
CREATE TABLE upload_quota (
    staff_id text NOT NULL,
    day date NOT NULL,
    files integer NOT NULL,
    imports integer NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (staff_id, day)
);

-- migrate:down

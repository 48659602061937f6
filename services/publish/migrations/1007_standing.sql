-- migrate:up
SET lock_timeout = '5s';

-- How much each village has not opened that is past due, as its page said when it was rendered last: townships and the
-- city tell it from here, so that no list works out every village. Made by the renderer, not by events.
CREATE TABLE standing (
    village_code text PRIMARY KEY,
    missing integer NOT NULL,
    held jsonb NOT NULL,
    late_days integer NOT NULL
);

-- migrate:down

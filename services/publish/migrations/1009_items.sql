-- migrate:up
SET lock_timeout = '5s';

-- The pages of a village's items are rendered too, when there is time.
ALTER TABLE dirty DROP CONSTRAINT dirty_kind_check;
ALTER TABLE dirty ADD CONSTRAINT dirty_kind_check
    CHECK (kind IN ('disclosure', 'village', 'items', 'township', 'city', 'all'));

-- migrate:down

-- migrate:up
SET lock_timeout = '5s';

-- One page of one item of a village is rendered anew when that item changes, all of them when the village or a day does.
ALTER TABLE dirty DROP CONSTRAINT dirty_kind_check;
ALTER TABLE dirty ADD CONSTRAINT dirty_kind_check
    CHECK (kind IN ('disclosure', 'village', 'item', 'items', 'township', 'city', 'all'));

-- migrate:down

-- depends: 007_create_leaders_table
-- An epoch is a Lease's leaseTransitions, which is an int32. One that is not can have been nobody's, and a row that
-- claims it keeps nobody out who should be: the leader writes its own again. Nobody writes in between.

LOCK TABLE leaders IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM leaders WHERE epoch NOT BETWEEN 0 AND 2147483647;
ALTER TABLE leaders ADD CONSTRAINT leaders_epoch_is_int32 CHECK (epoch BETWEEN 0 AND 2147483647);

-- For the sweep, which walks the live rows in the order of their ids, however many deleted ones there are.
CREATE INDEX idx_databases_live ON databases (id) WHERE deleted_at IS NULL;

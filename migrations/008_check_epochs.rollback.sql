-- The rows of leaders that nobody can have been do not come back.

DROP INDEX idx_databases_live;
ALTER TABLE leaders DROP CONSTRAINT leaders_epoch_is_int32;

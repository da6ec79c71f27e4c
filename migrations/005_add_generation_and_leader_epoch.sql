-- depends: 004_add_error_message
-- Guards of every write: neither a late pass nor a deposed leader overwrites a newer fact.

ALTER TABLE databases
    ADD COLUMN generation BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN leader_epoch BIGINT NOT NULL DEFAULT 0;

COMMENT ON COLUMN databases.generation IS
    'metadata.generation of the DaapDatabase that the row speaks of';
COMMENT ON COLUMN databases.leader_epoch IS
    'Fencing epoch of the leader that wrote the row; it only grows';

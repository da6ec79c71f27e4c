-- depends: 011_add_spec
-- The databases that were put back in place, each by a DaapRestore: to which moment, from which archive, and where the state
-- before is.

CREATE TABLE restores (
    id UUID CONSTRAINT restores_pkey PRIMARY KEY,
    name VARCHAR(253) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    database_name VARCHAR(63) NOT NULL,
    store VARCHAR(253),
    archive VARCHAR(253),
    restored_to TIMESTAMPTZ,
    backup_id VARCHAR(253),
    safety_backup VARCHAR(253),
    status VARCHAR(20) NOT NULL,
    completed_at TIMESTAMPTZ,
    error_message TEXT,
    leader_epoch BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    deleted_at TIMESTAMPTZ,
    CONSTRAINT restores_status_known CHECK (
        status IN ('pending', 'backing_up', 'replacing', 'restoring', 'completed', 'failed', 'deleted')
    ),
    CONSTRAINT restores_deleted_at_set_when_deleted CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);

COMMENT ON TABLE restores IS 'Databases restored in place; a row for each DaapRestore, kept when that is deleted';
COMMENT ON COLUMN restores.id IS 'uid of the DaapRestore';
COMMENT ON COLUMN restores.database_name IS 'name of the DaapDatabase, in the same namespace';
COMMENT ON COLUMN restores.store IS 'ObjectStore in that namespace that the database was restored from';
COMMENT ON COLUMN restores.archive IS 'name of the archive within the store';
COMMENT ON COLUMN restores.restored_to IS 'the moment that was asked for, if it was not the end of a backup';
COMMENT ON COLUMN restores.backup_id IS 'the backup whose end was asked for';
COMMENT ON COLUMN restores.safety_backup IS 'DaapBackup of the state before; NULL where it was skipped';
COMMENT ON COLUMN restores.completed_at IS 'when clients were served again';
COMMENT ON COLUMN restores.error_message IS 'why somebody has to act';
COMMENT ON COLUMN restores.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

-- For the sweep, as that of the databases.
CREATE INDEX idx_restores_live ON restores (id) WHERE deleted_at IS NULL;
CREATE INDEX idx_restores_database ON restores (namespace, database_name);

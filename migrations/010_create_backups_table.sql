-- depends: 009_add_archive
-- The backups that teams asked for, each by a DaapBackup; where each is in which store, never its contents. Those that a
-- schedule makes are told by the store itself.

CREATE TABLE backups (
    id UUID CONSTRAINT backups_pkey PRIMARY KEY,
    name VARCHAR(253) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    database_name VARCHAR(63) NOT NULL,
    store VARCHAR(253),
    archive VARCHAR(63),
    backup_id VARCHAR(253),
    status VARCHAR(20) NOT NULL,
    started_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    error_message TEXT,
    leader_epoch BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    deleted_at TIMESTAMPTZ,
    CONSTRAINT backups_status_known CHECK (status IN ('pending', 'running', 'completed', 'failed', 'deleted')),
    CONSTRAINT backups_deleted_at_set_when_deleted CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);

COMMENT ON TABLE backups IS 'Backups made on demand; a row for each DaapBackup, kept when that is deleted';
COMMENT ON COLUMN backups.id IS 'uid of the DaapBackup';
COMMENT ON COLUMN backups.database_name IS 'name of the DaapDatabase, in the same namespace';
COMMENT ON COLUMN backups.store IS 'ObjectStore in that namespace that has the backup';
COMMENT ON COLUMN backups.archive IS 'name of the archive within the store';
COMMENT ON COLUMN backups.backup_id IS 'what the backup is called in its archive';
COMMENT ON COLUMN backups.completed_at IS 'when the backup ended, if it can be restored';
COMMENT ON COLUMN backups.error_message IS 'why somebody has to act';
COMMENT ON COLUMN backups.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

-- For the sweep, as that of the databases.
CREATE INDEX idx_backups_live ON backups (id) WHERE deleted_at IS NULL;
CREATE INDEX idx_backups_database ON backups (namespace, database_name);

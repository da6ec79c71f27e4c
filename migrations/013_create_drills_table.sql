-- depends: 012_create_restores_table
-- The proofs that databases' backups restore, each by a DaapDrill: which backup, how long it took, and what was found.

CREATE TABLE drills (
    id UUID CONSTRAINT drills_pkey PRIMARY KEY,
    name VARCHAR(253) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    database_name VARCHAR(63) NOT NULL,
    database_id VARCHAR(64),
    store VARCHAR(253),
    archive VARCHAR(253),
    backup_id VARCHAR(253),
    recovered_to TIMESTAMPTZ,
    status VARCHAR(20) NOT NULL,
    base_seconds BIGINT,
    wal_seconds BIGINT,
    total_seconds BIGINT,
    relations_checked BIGINT,
    relations_corrupt BIGINT,
    tables_counted BIGINT,
    rows_counted BIGINT,
    queries_asked BIGINT,
    queries_failed BIGINT,
    started_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    error_message TEXT,
    leader_epoch BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    deleted_at TIMESTAMPTZ,
    CONSTRAINT drills_status_known CHECK (
        status IN ('pending', 'restoring', 'checking', 'passed', 'failed', 'deleted')
    ),
    CONSTRAINT drills_deleted_at_set_when_deleted CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);

COMMENT ON TABLE drills IS 'Backups restored beside their database to prove that they can be; a row for each DaapDrill, kept when that is deleted';
COMMENT ON COLUMN drills.id IS 'uid of the DaapDrill';
COMMENT ON COLUMN drills.database_name IS 'name of the DaapDatabase, in the same namespace';
COMMENT ON COLUMN drills.database_id IS 'uid of the DaapDatabase';
COMMENT ON COLUMN drills.store IS 'ObjectStore in that namespace that was restored from';
COMMENT ON COLUMN drills.archive IS 'name of the archive within the store';
COMMENT ON COLUMN drills.backup_id IS 'the base backup, by its id in the archive';
COMMENT ON COLUMN drills.recovered_to IS 'when the last transaction was committed that was restored';
COMMENT ON COLUMN drills.base_seconds IS 'fetching the base backup; NULL where that is not known';
COMMENT ON COLUMN drills.wal_seconds IS 'replaying the write-ahead log; NULL where that is not known';
COMMENT ON COLUMN drills.total_seconds IS 'from the creation of the scratch Cluster until it served';
COMMENT ON COLUMN drills.relations_checked IS 'tables and indexes that pg_amcheck has gone through';
COMMENT ON COLUMN drills.relations_corrupt IS 'how many of them it found damaged';
COMMENT ON COLUMN drills.tables_counted IS 'tables that are the database''s own';
COMMENT ON COLUMN drills.rows_counted IS 'rows in all of them';
COMMENT ON COLUMN drills.queries_asked IS 'queries of the owner''s that were asked';
COMMENT ON COLUMN drills.queries_failed IS 'how many of them failed, or were answered otherwise than expected';
COMMENT ON COLUMN drills.started_at IS 'when the scratch Cluster was about to be created';
COMMENT ON COLUMN drills.completed_at IS 'when the result was certain';
COMMENT ON COLUMN drills.error_message IS 'why it failed, or somebody has to act';
COMMENT ON COLUMN drills.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

-- For the sweep, as that of the databases.
CREATE INDEX idx_drills_live ON drills (id) WHERE deleted_at IS NULL;
CREATE INDEX idx_drills_database ON drills (namespace, database_name);

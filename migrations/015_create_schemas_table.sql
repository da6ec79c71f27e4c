-- depends: 014_index_deleted_databases
-- How far each database's schema is, a row for each DaapSchema: which file is applied last, what is pending, what differs.

CREATE TABLE schemas (
    id UUID CONSTRAINT schemas_pkey PRIMARY KEY,
    name VARCHAR(253) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    database_name VARCHAR(63) NOT NULL,
    database_id VARCHAR(64),
    ledger VARCHAR(63) NOT NULL,
    status VARCHAR(20) NOT NULL,
    current_file VARCHAR(253),
    files_applied BIGINT,
    files_pending BIGINT,
    findings BIGINT,
    differences BIGINT,
    ledger_checksum VARCHAR(64),
    last_applied_at TIMESTAMPTZ,
    verified_at TIMESTAMPTZ,
    error_message TEXT,
    leader_epoch BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    deleted_at TIMESTAMPTZ,
    CONSTRAINT schemas_status_known CHECK (
        status IN ('pending', 'planning', 'planned', 'awaitingapproval', 'applying', 'applied', 'failed', 'deleted')
    ),
    CONSTRAINT schemas_deleted_at_set_when_deleted CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);

COMMENT ON TABLE schemas IS 'Schemas of databases as SQL files; a row for each DaapSchema, kept when that is deleted';
COMMENT ON COLUMN schemas.id IS 'uid of the DaapSchema';
COMMENT ON COLUMN schemas.database_name IS 'name of the DaapDatabase, in the same namespace';
COMMENT ON COLUMN schemas.database_id IS 'uid of the DaapDatabase';
COMMENT ON COLUMN schemas.ledger IS 'the ledger in the database that records what is applied';
COMMENT ON COLUMN schemas.current_file IS 'the last file of the schema that is applied';
COMMENT ON COLUMN schemas.files_applied IS 'files that are applied, fixtures too';
COMMENT ON COLUMN schemas.files_pending IS 'files that are to be applied';
COMMENT ON COLUMN schemas.findings IS 'what was found in the pending files';
COMMENT ON COLUMN schemas.differences IS 'objects of the database that are not as the files have made them';
COMMENT ON COLUMN schemas.ledger_checksum IS 'checksum of the ledger';
COMMENT ON COLUMN schemas.last_applied_at IS 'when a run last applied something';
COMMENT ON COLUMN schemas.verified_at IS 'when the database was last compared with the ledger';
COMMENT ON COLUMN schemas.error_message IS 'why somebody has to act';
COMMENT ON COLUMN schemas.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

-- For the sweep, as that of the databases.
CREATE INDEX idx_schemas_live ON schemas (id) WHERE deleted_at IS NULL;
CREATE INDEX idx_schemas_database ON schemas (namespace, database_name);

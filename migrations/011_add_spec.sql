-- depends: 010_create_backups_table
-- What a database that was lost with its Kubernetes cluster is created again from: `daap-operator rebuild` reads it.

ALTER TABLE databases
    ADD COLUMN spec JSONB,
    ADD COLUMN database_name VARCHAR(63),
    ADD COLUMN postgres_version INTEGER,
    ADD COLUMN locale VARCHAR(80),
    ADD CONSTRAINT databases_spec_bounded CHECK (octet_length(spec::text) <= 32768);

COMMENT ON COLUMN databases.spec IS 'spec of the DaapDatabase, as its team wrote it; NULL: not known, or more than 32 KiB';
COMMENT ON COLUMN databases.database_name IS 'name of the database inside PostgreSQL';
COMMENT ON COLUMN databases.postgres_version IS 'major version of PostgreSQL that the data has';
COMMENT ON COLUMN databases.locale IS 'locale that the database was created with, as provider/locale';

-- depends: 008_check_epochs
-- Where the backups of a database are: also of one that is deleted, for as long as they are kept.

ALTER TABLE databases
    ADD COLUMN archive TEXT,
    ADD COLUMN store TEXT;

COMMENT ON COLUMN databases.archive IS 'Name of the archive of its backups within the store; NULL: it never had any';
COMMENT ON COLUMN databases.store IS 'Name of the ObjectStore, in its namespace, that keeps its backups; NULL: none is named';

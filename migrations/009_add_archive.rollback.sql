-- Where the backups of deleted databases are does not come back; that of live ones the operator writes again.

ALTER TABLE databases
    DROP COLUMN store,
    DROP COLUMN archive;

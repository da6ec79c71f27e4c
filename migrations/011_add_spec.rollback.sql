-- The specs of deleted databases do not come back; those of live ones the operator writes again.

ALTER TABLE databases
    DROP COLUMN locale,
    DROP COLUMN postgres_version,
    DROP COLUMN database_name,
    DROP COLUMN spec;

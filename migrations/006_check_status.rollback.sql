ALTER TABLE databases
    DROP CONSTRAINT databases_deleted_at_set_when_deleted,
    DROP CONSTRAINT databases_status_known;

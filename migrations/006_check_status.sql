-- depends: 005_add_generation_and_leader_epoch

ALTER TABLE databases
    ADD CONSTRAINT databases_status_known
        CHECK (status IN ('provisioning', 'ready', 'error', 'deleting', 'deleted')),
    ADD CONSTRAINT databases_deleted_at_set_when_deleted
        CHECK ((status = 'deleted') = (deleted_at IS NOT NULL));

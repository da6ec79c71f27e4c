ALTER TABLE databases
    DROP COLUMN leader_epoch,
    DROP COLUMN generation;

-- The credentials themselves do not come back: they were never to be stored here.

ALTER TABLE databases
    DROP COLUMN secret_name,
    ADD COLUMN username VARCHAR(255),
    ADD COLUMN password VARCHAR(255);

-- depends: 001_create_databases_table
-- Credentials live in a Kubernetes Secret; the row only says which.

ALTER TABLE databases
    DROP COLUMN username,
    DROP COLUMN password,
    ADD COLUMN secret_name VARCHAR(255);

COMMENT ON COLUMN databases.secret_name IS
    'Kubernetes Secret, in the row''s namespace, that holds the credentials; NULL until they exist';

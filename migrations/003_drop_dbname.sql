-- depends: 002_remove_credentials_add_secret_ref
-- The name of the database inside PostgreSQL is in the Secret, with what else a client needs.

ALTER TABLE databases DROP COLUMN dbname;

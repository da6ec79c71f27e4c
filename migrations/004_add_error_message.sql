-- depends: 003_drop_dbname

ALTER TABLE databases ADD COLUMN error_message TEXT;

COMMENT ON COLUMN databases.error_message IS
    'Why the status is error, in words for people; NULL when there is nothing to tell';

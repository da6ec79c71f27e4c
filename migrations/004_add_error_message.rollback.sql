ALTER TABLE databases DROP COLUMN error_message;

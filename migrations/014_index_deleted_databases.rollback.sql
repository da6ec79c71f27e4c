DROP INDEX idx_databases_deleted;

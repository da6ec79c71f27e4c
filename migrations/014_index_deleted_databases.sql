-- depends: 013_create_drills_table
-- Where the archive of a deleted database is gets asked by namespace and name: of deleted rows there are more every day, and
-- whoever may create databases decides how many.

CREATE INDEX idx_databases_deleted ON databases (namespace, name, deleted_at)
    WHERE deleted_at IS NOT NULL AND archive IS NOT NULL;
